// Errors and warnings of a session that can see protected columns: their texts may quote values ("Duplicate entry '…'", "Truncated
// incorrect INTEGER value: '…'", "XPATH syntax error: '…'"), so they are withheld.

/** Errors whose messages name objects, rules and numbers, never values ("Server Error Message Reference"). */
const NAMES_ONLY: ReadonlySet<number> = new Set([
  1007, 1008, 1022, 1037, 1038, 1040, 1041, 1043, 1044, 1045, 1046, 1047, 1048, 1049, 1050, 1051, 1052, 1053, 1054,
  1055, 1056, 1057, 1058, 1059, 1060, 1061, 1063, 1064, 1066, 1068, 1072, 1075, 1090, 1091, 1093, 1094, 1099, 1100,
  1101, 1103, 1104, 1109, 1110, 1111, 1113, 1115, 1128, 1129, 1130, 1131, 1132, 1133, 1136, 1137, 1138, 1139, 1140,
  1142, 1143, 1144, 1145, 1146, 1147, 1148, 1149, 1152, 1153, 1158, 1159, 1160, 1161, 1166, 1175, 1176, 1184, 1192,
  1193, 1203, 1205, 1206, 1207, 1213, 1222, 1223, 1226, 1227, 1228, 1229, 1230, 1232, 1234, 1235, 1236, 1239, 1240,
  1241, 1242, 1243, 1247, 1248, 1250, 1251, 1253, 1267, 1270, 1271, 1273, 1286, 1290, 1295, 1305, 1312, 1317, 1318,
  1327, 1345, 1356, 1364, 1365, 1370, 1390, 1394, 1395, 1399, 1415, 1422, 1436, 1442, 1451, 1452, 1456, 1461, 1471,
  1615, 1690, 1792, 1836, 1969, 2006, 2013, 3024, 3065, 3159, 3169, 3579, 3636,
]);

/** Of those: they quote an expression with its values. */
const QUOTES_EXPRESSION: ReadonlySet<number> = new Set([1139, 1690, 1451, 1452]);

/** The message as the client may have it. */
export function withheldMessage(code: number, message: string): string {
  if (NAMES_ONLY.has(code) && !QUOTES_EXPRESSION.has(code)) return message;
  return `error ${code}: the message is withheld, it may quote a protected value`;
}

export const WITHHELD = Buffer.from('the message is withheld, it may quote a protected value');
