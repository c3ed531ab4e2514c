// The allow-list of functions that are free of effects: calling them reads at most what their arguments hold.
//
// SYSTEM was made from pg_proc of PostgreSQL 18: names in pg_catalog of which every version is immutable or stable, without those
// for internal use, those that run or return other people's SQL, read tables or files by name, or show other sessions
// (`*_to_xml`, `ts_stat`, `pg_stat_get_*`, `pg_mcv_list_items` …); then volatile ones that are harmless, picked by hand
// (`random`, `clock_timestamp`, `pg_sleep`: the deadline bounds it; `pg_advisory_unlock`: it lets go of the session's own). A name that does not stand here needs `admin`.

export const SYSTEM = `
  abbrev abs aclcontains acldefault aclexplode acos acosd acosh age any_value area array_agg array_append array_cat
  array_dims array_fill array_length array_lower array_ndims array_position array_positions array_prepend array_remove
  array_replace array_reverse array_sample array_shuffle array_sort array_to_json array_to_string array_to_tsvector
  array_upper ascii asin asind asinh atan atan2 atan2d atand atanh avg bit bit_and bit_count bit_length bit_or bit_xor
  bool bool_and bool_or box bpchar broadcast btrim bytea cardinality casefold cbrt ceil ceiling center char
  char_length character_length chr cidr circle clock_timestamp col_description concat concat_ws convert convert_from
  convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32 crc32c cume_dist current_database
  current_query current_schema current_schemas current_user currval date date_add date_bin date_part date_subtract date_trunc
  datemultirange daterange decode degrees dense_rank diagonal diameter div encode enum_first enum_last enum_range erf
  erfc every exp extract factorial family first_value float4 float8 floor format format_type gamma gcd gen_random_uuid
  generate_series generate_subscripts get_bit get_byte get_current_ts_config getdatabaseencoding
  has_any_column_privilege has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege
  has_function_privilege has_language_privilege has_largeobject_privilege has_parameter_privilege has_schema_privilege
  has_sequence_privilege has_server_privilege has_table_privilege has_tablespace_privilege has_type_privilege height
  host hostmask inet_client_addr inet_client_port inet_server_addr inet_server_port initcap int2 int4 int4multirange
  int4range int8 int8multirange int8range interval is_normalized isclosed isempty isfinite ishorizontal isopen
  isparallel isperp isvertical json_agg json_agg_strict json_array_element json_array_element_text
  json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
  json_each_text json_extract_path json_extract_path_text json_object json_object_agg json_object_agg_strict
  json_object_agg_unique json_object_agg_unique_strict json_object_field json_object_field_text json_object_keys
  json_populate_record json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_to_tsvector
  json_typeof jsonb_agg jsonb_agg_strict jsonb_array_element jsonb_array_element_text jsonb_array_elements
  jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_concat jsonb_contained
  jsonb_contains jsonb_delete jsonb_delete_path jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all
  jsonb_exists_any jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg
  jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict jsonb_object_field
  jsonb_object_field_text jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match
  jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
  jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_record_valid
  jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset
  jsonb_to_tsvector jsonb_typeof justify_days justify_hours justify_interval lag last_value lastval lcm lead left
  length lgamma like like_escape line ln log log10 lower lower_inc lower_inf lpad lseg ltrim macaddr macaddr8
  macaddr8_set7bit make_date make_interval make_time make_timestamp make_timestamptz masklen max md5 min min_scale mod
  mode money multirange name netmask network normalize notlike now npoints nth_value ntile num_nonnulls num_nulls
  numeric nummultirange numnode numrange obj_description octet_length oid oidvectortypes overlaps overlay parse_ident
  path path_add_pt path_sub_pt pclose percent_rank percentile_cont percentile_disc pg_advisory_unlock
  pg_advisory_unlock_all pg_advisory_unlock_shared pg_available_extension_versions
  pg_available_extensions pg_backend_pid pg_basetype pg_blocking_pids pg_char_to_encoding pg_client_encoding
  pg_collation_actual_version pg_collation_for pg_collation_is_visible pg_column_compression pg_column_is_updatable
  pg_column_size pg_column_toast_chunk_id pg_conf_load_time pg_conversion_is_visible pg_current_snapshot
  pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_current_xact_id_if_assigned
  pg_database_collation_actual_version pg_database_size pg_describe_object pg_encoding_max_length pg_encoding_to_char
  pg_function_is_visible pg_get_acl pg_get_constraintdef pg_get_expr pg_get_function_arg_default
  pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody
  pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_partition_constraintdef pg_get_partkeydef
  pg_get_replica_identity_index pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef
  pg_get_statisticsobjdef_columns pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_userbyid pg_get_viewdef
  pg_has_role pg_identify_object pg_identify_object_as_address pg_index_column_has_property pg_index_has_property
  pg_indexam_has_property pg_indexam_progress_phasename pg_indexes_size pg_is_in_recovery pg_is_other_temp_schema
  pg_is_wal_replay_paused pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_listening_channels pg_lsn pg_my_temp_schema pg_notification_queue_usage
  pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table pg_partition_ancestors
  pg_partition_root pg_partition_tree pg_postmaster_start_time pg_relation_is_publishable pg_relation_is_updatable
  pg_relation_size pg_sequence_last_value pg_sequence_parameters pg_size_bytes pg_size_pretty pg_sleep pg_sleep_for
  pg_sleep_until pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_split_walfile_name pg_statistics_obj_is_visible
  pg_table_is_visible pg_table_size pg_tablespace_location pg_tablespace_size pg_timezone_names pg_total_relation_size
  pg_trigger_depth pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible
  pg_type_is_visible pg_typeof pg_visible_in_snapshot pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset
  pg_xact_commit_timestamp pg_xact_status phraseto_tsquery pi plainto_tsquery point polygon popen position pow power
  querytree quote_ident quote_literal quote_nullable radians radius random random_normal range_agg range_intersect_agg
  range_merge rank regclass regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace
  regexp_split_to_array regexp_split_to_table regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2
  regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right round row_number row_security_active row_to_json
  rpad rtrim scale session_user set_bit set_byte set_masklen setseed setweight sha224 sha256 sha384 sha512
  shobj_description sign similar_escape similar_to_escape sin sind sinh slope split_part sqrt starts_with
  statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos substr
  substring sum system_user tan tand tanh text time timeofday timestamp timestamptz timetz timezone to_ascii to_bin
  to_char to_date to_hex to_json to_jsonb to_number to_oct to_regclass to_regcollation to_regnamespace to_regoper
  to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_regtypemod to_timestamp to_tsquery to_tsvector
  transaction_timestamp translate trim_array trim_scale trunc ts_debug ts_delete ts_filter ts_headline ts_lexize
  ts_parse ts_rank ts_rank_cd ts_token_type tsmultirange tsrange tstzmultirange tstzrange tsvector_to_array
  txid_current_if_assigned txid_current_snapshot txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_status
  txid_visible_in_snapshot unicode_assigned unicode_version unistr unnest upper upper_inc upper_inf
  uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7 var_pop var_samp varbit varchar variance version
  websearch_to_tsquery width width_bucket xid xml xml_is_well_formed xml_is_well_formed_content
  xml_is_well_formed_document xmlagg xmlcomment xmlexists xmltext xpath xpath_exists
`;

/** What JDBC asks of information_schema. */
export const INFORMATION_SCHEMA = `
  _pg_char_max_length _pg_char_octet_length _pg_datetime_precision _pg_expandarray _pg_index_position _pg_interval_type
  _pg_numeric_precision _pg_numeric_precision_radix _pg_numeric_scale _pg_truetypid _pg_truetypmod
`;

/** Of well-known extensions, whichever schema of the search path they are in. */
export const EXTENSIONS = `
  citext daitch_mokotoff difference dmetaphone dmetaphone_alt levenshtein levenshtein_less_equal metaphone show_limit
  show_trgm similarity soundex strict_word_similarity text_soundex unaccent word_similarity
  akeys avals cube cube_dim cube_distance cube_enlarge cube_inter cube_is_point cube_ll_coord cube_size cube_subset
  cube_union cube_ur_coord defined each earth earth_box earth_distance exist gc_to_sec hstore hstore_to_array
  hstore_to_json hstore_to_json_loose hstore_to_jsonb hstore_to_jsonb_loose hstore_to_matrix icount idx index intset
  is_valid isbn isbn13 isdefined isexists ismn ismn13 issn issn13 latitude lca ll_to_earth longitude ltree2text
  make_valid nlevel populate_record sec_to_gc seg_center seg_lower seg_size seg_upper skeys slice sort sort_asc
  sort_desc subarray subltree subpath svals text2ltree uniq upc
  armor crypt dearmor decrypt decrypt_iv digest encrypt encrypt_iv gen_random_bytes gen_salt hmac normal_rand
  pgp_armor_headers pgp_key_id pgp_pub_decrypt pgp_pub_decrypt_bytea pgp_pub_encrypt pgp_pub_encrypt_bytea
  pgp_sym_decrypt pgp_sym_decrypt_bytea pgp_sym_encrypt pgp_sym_encrypt_bytea uuid_generate_v1 uuid_generate_v1mc
  uuid_generate_v3 uuid_generate_v4 uuid_generate_v5 uuid_nil uuid_ns_dns uuid_ns_oid uuid_ns_url uuid_ns_x500
  find_srid geometrytype postgis_full_version postgis_geos_version postgis_lib_version postgis_proj_version
  postgis_version st_area st_area2d st_asbinary st_asewkb st_asewkt st_asgeojson st_asgml st_askml st_asmvt
  st_asmvtgeom st_assvg st_astext st_asx3d st_azimuth st_boundary st_boundingdiagonal st_buffer st_buildarea
  st_centroid st_closestpoint st_clusterdbscan st_clusterkmeans st_collect st_collectionextract st_concavehull
  st_contains st_containsproperly st_convexhull st_coorddim st_coveredby st_covers st_crosses st_curvetoline
  st_delaunaytriangles st_dfullywithin st_difference st_dimension st_disjoint st_distance st_distancesphere
  st_distancespheroid st_dump st_dumppoints st_dumprings st_dwithin st_endpoint st_envelope st_equals
  st_estimatedextent st_expand st_extent st_exteriorring st_flipcoordinates st_force2d st_force3d st_frechetdistance
  st_generatepoints st_geogfromtext st_geographyfromtext st_geohash st_geomcollfromtext st_geometryfromtext
  st_geometryn st_geometrytype st_geomfromewkb st_geomfromewkt st_geomfromgeohash st_geomfromgeojson st_geomfromtext
  st_geomfromwkb st_hausdorffdistance st_hexagongrid st_interiorringn st_intersection st_intersects st_isclosed
  st_iscollection st_isempty st_isring st_issimple st_isvalid st_isvaliddetail st_isvalidreason st_length st_length2d
  st_lengthspheroid st_linefromtext st_lineinterpolatepoint st_linelocatepoint st_linemerge st_linestringfromwkb
  st_linesubstring st_m st_makebox2d st_makeenvelope st_makeline st_makepoint st_makepolygon st_makevalid
  st_maxdistance st_memunion st_minimumboundingcircle st_multi st_ndims st_npoints st_nrings st_numgeometries
  st_numinteriorrings st_numpoints st_orderingequals st_overlaps st_perimeter st_point st_pointfromgeohash
  st_pointfromtext st_pointn st_pointonsurface st_polygon st_polygonfromtext st_polygonize st_project st_relate
  st_removerepeatedpoints st_reverse st_rotate st_scale st_segmentize st_setsrid st_shiftlongitude st_simplify
  st_simplifypreservetopology st_snap st_snaptogrid st_split st_squaregrid st_srid st_startpoint st_subdivide
  st_summary st_swapordinates st_symdifference st_tileenvelope st_touches st_transform st_translate st_transscale
  st_unaryunion st_union st_voronoipolygons st_within st_wkbtosql st_wkttosql st_x st_xmax st_xmin st_y st_ymax
  st_ymin st_z st_zmax st_zmin
  binary_quantize cosine_distance hamming_distance inner_product interpolate jaccard_distance l1_distance l2_distance
  l2_norm l2_normalize locf subvector time_bucket time_bucket_gapfill vector_dims vector_norm
`;

/** Functions that change data or another session's state, and no more than a writer may. */
export const WRITERS = `
  nextval pg_advisory_lock pg_advisory_lock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_current_xact_id
  pg_notify pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
  setval txid_current
`;

/** Operators of PostgreSQL and of citext, cube, hstore, intarray, ltree, pg_trgm, postgis and pgvector. */
export const OPERATORS = `
  !! !~ !~* !~~ !~~* # ## #- #> #>> #<# #<=# #= #># #>=# % %# %% %> %>> & && &&& &< &<| &> &/& * *< *<= *<> *= *> *>= + - -> ->> -|-
  / < <#> <% <-> <->> <->>> <+> <<#>> <<-> <<->> <<<-> <<% << <<= <<@ <<| <= <=> <> <@ <@> <^ <~> <%> = > >= >> >>= >^ ? ?# ?& ?-
  ?-| ?< ?<@ ?> ?@ ?@> ?| ?|| ?~ @ @-@ @> @>> @? @@ @@@ ^ ^< ^<@ ^> ^? ^@ ^@> ^~ | |&> |/ |=| |>> || ||/ ~ ~* ~<=~ ~<~ ~= ~== ~>
  ~>=~ ~>~ ~~ ~~* ~~=
`;

/** Functions that `row.name` can call on a whole row: the first argument takes any type, the rest can be left out. */
export const ROW_FUNCTIONS = `
  any_value array_agg concat hash_record json_agg json_agg_strict json_build_array json_build_object jsonb_agg
  jsonb_agg_strict jsonb_build_array jsonb_build_object max min num_nonnulls num_nulls pg_column_compression
  pg_column_size pg_column_toast_chunk_id pg_typeof quote_literal quote_nullable record_out record_send row_to_json
  to_json to_jsonb
`;

/** Types of PostgreSQL: casting to them runs no function that a user made. */
export const TYPES = `
  bit bool box bpchar bytea char cid cidr circle cstring date datemultirange daterange float4 float8 inet int2 int2vector
  int4 int4multirange int4range int8 int8multirange int8range interval json jsonb jsonpath line lseg macaddr macaddr8 money
  name numeric nummultirange numrange oid oidvector path pg_lsn pg_node_tree pg_snapshot point polygon record refcursor
  regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype text
  tid time timestamp timestamptz timetz tsmultirange tsquery tsrange tstzmultirange tstzrange tsvector txid_snapshot
  unknown uuid varbit varchar void xid xid8 xml
`;
