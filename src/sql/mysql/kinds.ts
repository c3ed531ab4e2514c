// The names that rules may use for statements of MySQL and MariaDB: everything that `Facts.kinds` can hold.

const list = `admin alter-database alter-schema alter-sequence alter-table alter-user alter-view analyze begin call
  change-replication check checksum commit create-database create-event create-function create-index create-package
  create-procedure create-role create-schema create-sequence create-server create-table create-table-as create-trigger
  create-user create-view deallocate delete delete-without-where describe do drop-column drop-constraint drop-database
  drop-event drop-function drop-index drop-package drop-procedure drop-role drop-schema drop-sequence drop-server drop-table
  drop-trigger drop-user drop-view execute execute-immediate explain flush get-diagnostics grant handler help insert
  install into-dumpfile into-outfile kill load-data lock lock-instance optimize prepare purge release rename-table rename-user
  repair replace reset revoke rollback rollback-to savepoint select set set-password set-role show show-warnings shutdown signal
  truncate uninstall unlock update update-without-where use xa`;

export const KINDS: ReadonlySet<string> = new Set(list.split(/\s+/));
