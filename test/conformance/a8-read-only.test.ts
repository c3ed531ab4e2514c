// A8: what works in a read-only transaction and still has an effect is refused to a reader.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type Attacker,
  allAllowed,
  allRefused,
  NARROW_WRITE,
  READ,
  refused,
  type Stand,
  send,
  startStand,
} from './attacks.ts';

let stand: Stand;
let reader: Attacker;

before(async () => {
  stand = await startStand();
  reader = await stand.connect(READ);
});

after(() => stand?.stop());

const EFFECTS = [
  "COPY public.orders TO PROGRAM 'touch /tmp/sallyport-was-here'",
  "COPY (SELECT 1) TO PROGRAM 'true'",
  "COPY (SELECT 1) TO '/tmp/sallyport-was-here'",
  "COPY public.orders FROM PROGRAM 'true'",
  "COPY public.orders FROM '/etc/passwd'",
  "SELECT pg_logical_emit_message(false, 'a', 'b')",
  "SELECT pg_logical_emit_message(true, 'a', 'b'::bytea)",
  'SELECT pg_stat_reset()',
  'SELECT pg_stat_reset_shared()',
  'SELECT pg_stat_reset_single_table_counters(1)',
  'SELECT pg_switch_wal()',
  "SELECT pg_create_restore_point('x')",
  "SELECT pg_backup_start('x')",
  'SELECT pg_promote()',
  'SELECT pg_wal_replay_pause()',
  'SELECT pg_reload_conf()',
  'SELECT pg_rotate_logfile()',
  'SELECT pg_terminate_backend(pid) FROM pg_stat_activity',
  'SELECT pg_terminate_backend(1)',
  'SELECT pg_cancel_backend(1)',
  'SELECT pg_log_backend_memory_contexts(1)',
  'SELECT pg_advisory_lock(1)',
  'SELECT pg_advisory_lock(1, 2)',
  'SELECT pg_try_advisory_lock(1)',
  'SELECT pg_advisory_xact_lock_shared(1)',
  'NOTIFY channel',
  "NOTIFY channel, 'payload'",
  "SELECT pg_notify('channel', 'payload')",
  'SELECT lo_create(1)',
  'SELECT lo_creat(-1)',
  "SELECT lo_import('/etc/passwd')",
  "SELECT lo_export(1, '/tmp/sallyport-was-here')",
  "SELECT lo_from_bytea(0, 'x')",
  'SELECT lo_get(1)',
  'SELECT lo_unlink(1)',
  'SELECT loread(lo_open(1, 262144), 10)',
  "SELECT lo_put(1, 0, 'x')",
  "SELECT nextval('public.numbers')",
  "SELECT setval('public.numbers', 99)",
  'SELECT txid_current()',
  'SELECT pg_current_xact_id()',
  'SELECT pg_export_snapshot()',
  "SELECT pg_create_physical_replication_slot('x')",
  "SELECT pg_create_logical_replication_slot('x', 'test_decoding')",
  "SELECT pg_logical_slot_get_changes('x', NULL, NULL)",
  "SELECT pg_drop_replication_slot('x')",
  "SELECT pg_replication_origin_create('x')",
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT pg_read_binary_file('/etc/passwd')",
  "SELECT pg_ls_dir('/')",
  'SELECT pg_ls_waldir()',
  'SELECT pg_ls_logdir()',
  "SELECT pg_stat_file('/etc/passwd')",
  'SELECT pg_current_logfile()',
  'SELECT * FROM pg_hba_file_rules',
  'SELECT * FROM pg_authid',
  'SELECT * FROM pg_shadow',
  'SELECT * FROM pg_largeobject',
  'SELECT * FROM pg_stat_activity',
  'SELECT * FROM pg_stats',
  'SELECT * FROM pg_statistic',
  'SELECT * FROM pg_user_mapping',
  'SELECT * FROM pg_user_mappings',
  'SELECT * FROM pg_subscription',
  'SELECT * FROM pg_file_settings',
  'SELECT * FROM pg_config',
  'SELECT * FROM pg_backend_memory_contexts',
  "SELECT brin_summarize_new_values('public.orders')",
  "SELECT gin_clean_pending_list('public.orders')",
  "SELECT pg_collation_actual_version(1), pg_import_system_collations('public')",
  "SELECT pg_extension_config_dump('public.orders', '')",
  'SELECT pg_stat_statements_reset()',
  "SELECT pg_clear_relation_stats('public', 'orders')",
  "SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', 'orders')",
  'SELECT binary_upgrade_set_next_pg_type_oid(1)',
  'CHECKPOINT',
  'LOCK TABLE public.orders',
];

test('A8 effects that a read-only transaction does not stop are refused to a reader', async () => {
  await allRefused(stand, reader, EFFECTS);
});

test('A8 the same stand behind a dot, in a filter, and in what is prepared', async () => {
  await allRefused(stand, reader, [
    'SELECT 1 WHERE pg_try_advisory_lock(1)',
    "SELECT 1 FROM public.orders WHERE pg_notify('channel', customer) IS NULL",
    'SELECT (1::bigint).pg_try_advisory_lock',
    "SELECT count(pg_logical_emit_message(false, 'a', customer)) FROM public.orders",
    'PREPARE p AS SELECT pg_advisory_lock($1)',
    'DECLARE c CURSOR FOR SELECT pg_switch_wal()',
    'EXPLAIN ANALYZE SELECT pg_switch_wal()',
  ]);
});

test('A8 nobody is told what a reader tries to say', async () => {
  const heard: unknown[] = [];
  stand.direct.on('notification', (message) => heard.push(message));
  await stand.direct.query('LISTEN channel');
  await refused(reader, "NOTIFY channel, 'payload'");
  await refused(reader, "SELECT pg_notify('channel', 'payload')");
  const writer = await stand.connect(NARROW_WRITE);
  await send(writer.client, "NOTIFY channel, 'from a writer'");
  await stand.direct.query('SELECT 1');
  assert.equal(heard.length, 1);
});

test('A8 reading about the server and the session is allowed', async () => {
  await allAllowed(reader, [
    'SELECT pg_backend_pid(), version(), current_user, now()',
    "SELECT pg_relation_size('public.orders'), pg_size_pretty(pg_database_size(current_database()))",
    'SELECT * FROM pg_locks',
    'SELECT relname FROM pg_stat_user_tables',
    'SELECT rolname FROM pg_roles',
    "SELECT name, setting FROM pg_settings WHERE name = 'work_mem'",
    'SELECT pg_advisory_unlock_all()',
    'SELECT pg_sleep(0)',
    'SELECT pg_current_xact_id_if_assigned()',
    'LISTEN channel',
    'UNLISTEN *',
    'COPY public.orders TO STDOUT',
  ]);
});
