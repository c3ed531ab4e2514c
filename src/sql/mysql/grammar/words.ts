// Reserved words: those that cannot be names without quotes, nor aliases, on either server ("Keywords and Reserved Words" of
// both manuals). Which words these are decides where an expression or a table ends.

const BOTH = words(`
  accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call cascade case change
  char character check collate column condition constraint continue convert create cross current_date current_time
  current_timestamp current_user cursor database databases day_hour day_microsecond day_minute day_second dec decimal declare
  default delayed delete desc describe deterministic distinct distinctrow div double drop dual each else elseif enclosed escaped
  except exists exit explain false fetch float float4 float8 for force foreign from fulltext grant group having high_priority
  hour_microsecond hour_minute hour_second if ignore in index infile inner inout insensitive insert int int1 int2 int3 int4 int8
  integer intersect interval into is iterate join key keys kill leading leave left like limit linear lines load localtime
  localtimestamp lock long longblob longtext loop low_priority match maxvalue mediumblob mediumint mediumtext middleint
  minute_microsecond minute_second mod modifies natural not no_write_to_binlog null numeric on optimize option optionally or order
  out outer outfile over partition precision primary procedure purge range read reads read_write real recursive references regexp
  release rename repeat replace require resignal restrict return revoke right rlike rows schema schemas second_microsecond
  select sensitive separator set show signal smallint spatial specific sql sqlexception sqlstate sqlwarning sql_big_result
  sql_calc_found_rows sql_small_result ssl starting straight_join table terminated then tinyblob tinyint tinytext to trailing
  trigger true undo union unique unlock unsigned update usage use using utc_date utc_time utc_timestamp values varbinary varchar
  varcharacter varying when where while window with write xor year_month zerofill`);

const MYSQL = words(`
  cube cume_dist dense_rank empty first_value function generated get grouping groups io_after_gtids io_before_gtids json_table lag
  last_value lateral lead manual master_bind nth_value ntile of optimizer_costs parallel percent_rank qualify rank row row_number
  stored system tablesample virtual`);

const MARIADB = words('current_role offset returning');

const RESERVED = { mysql: new Set([...BOTH, ...MYSQL]), mariadb: new Set([...BOTH, ...MARIADB]) };

export function reservedWords(mariadb: boolean): ReadonlySet<string> {
  return mariadb ? RESERVED.mariadb : RESERVED.mysql;
}

/** Reserved words that are called like functions all the same. */
export const CALLABLE: ReadonlySet<string> = new Set(
  words(`char charset convert cume_dist current_date current_role current_time current_timestamp current_user database date default
  dense_rank first_value grouping if insert interval lag last_value lead left localtime localtimestamp mod nth_value ntile
  percent_rank rank repeat replace right row row_number schema utc_date utc_time utc_timestamp values`),
);

/** Values that are written without parentheses. */
export const CONSTANT_CALLS: ReadonlySet<string> = new Set(
  words(
    'current_date current_role current_time current_timestamp current_user localtime localtimestamp utc_date utc_time utc_timestamp',
  ),
);

/**
 * Built-in functions that are only that where `(` stands right behind the name, unless IGNORE_SPACE is on; behind a space it is a
 * call of whatever somebody has made under that name ("Function Name Parsing and Resolution").
 */
export const TIGHT_CALLS: ReadonlySet<string> = new Set(
  words(`adddate bit_and bit_or bit_xor cast count curdate curtime date_add date_sub extract group_concat json_arrayagg
  json_objectagg max mid min now position session_user st_collect std stddev stddev_pop stddev_samp subdate substr substring sum
  sysdate system_user trim variance var_pop var_samp`),
);

/** Units of INTERVAL, EXTRACT, TIMESTAMPADD. */
export const UNITS: ReadonlySet<string> = new Set(
  words(`microsecond second minute hour day week month quarter year second_microsecond minute_microsecond minute_second
  hour_microsecond hour_second hour_minute day_microsecond day_second day_minute day_hour year_month sql_tsi_second
  sql_tsi_minute sql_tsi_hour sql_tsi_day sql_tsi_week sql_tsi_month sql_tsi_quarter sql_tsi_year sql_tsi_frac_second`),
);

/** Character sets that an introducer (`_latin1'…'`) may name. */
export const CHARSETS: ReadonlySet<string> = new Set(
  words(`armscii8 ascii big5 binary cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 cp932 dec8 eucjpms euckr gb18030 gb2312 gbk
  geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman sjis swe7 tis620 ucs2 ujis utf16
  utf16le utf32 utf8 utf8mb3 utf8mb4`),
);

/** Words that may stand between CREATE or ALTER and what is made. */
export const MAKING: ReadonlySet<string> = new Set(
  words(`or replace unique fulltext spatial aggregate temporary online offline ignore algorithm merge temptable undefined definer sql
  security invoker vector`),
);

function words(list: string): readonly string[] {
  return list.trim().split(/\s+/);
}
