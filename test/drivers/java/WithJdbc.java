// pgjdbc through the gateway. Arguments: JDBC URL, user, password, which table is masked.
import java.sql.*;
import java.util.*;

public class WithJdbc {
  public static void main(String[] args) throws Exception {
    String masked = args[3];
    for (String more : List.of("", "?sslmode=require", "?preferQueryMode=simple", "?prepareThreshold=1", "?readOnly=true&ApplicationName=mine")) {
      try (Connection c = DriverManager.getConnection(args[0] + more, args[1], args[2])) {
        reads(c, masked);
        refusal(c);
        if (!more.contains("readOnly")) writes(c);
        metadata(c);
      } catch (Exception e) {
        throw new Exception("with " + more, e);
      }
    }
  }

  static void reads(Connection c, String masked) throws Exception {
    try (PreparedStatement s = c.prepareStatement("SELECT id, name, email, age, born, note FROM users WHERE id = ?")) {
      for (int i = 0; i < 8; i++) { // named and binary from the fifth time on
        s.setInt(1, 3);
        try (ResultSet r = s.executeQuery()) {
          check(r.next() && r.getInt(1) == 3 && r.getString(2).equals("name 3"), "a row");
          if (masked.equals("the table read")) {
            check(r.getString(3).endsWith(".com") && !r.getString(3).contains("user"), "email");
            check(r.getInt(4) != 23 && r.getDate(5).toLocalDate().getYear() != 2000 && r.getString(6) == null, "masked");
          } else {
            check(r.getString(3).equals("user3@example.com") && r.getInt(4) == 23, "not masked");
            check(r.getDate(5).toString().equals("2000-01-04"), "born");
          }
        }
      }
    }
    c.setAutoCommit(false);
    try (Statement s = c.createStatement()) {
      s.setFetchSize(9); // portals, suspended
      int n = 0;
      try (ResultSet r = s.executeQuery("SELECT id FROM orders ORDER BY id")) {
        while (r.next()) check(r.getLong(1) == ++n, "in order");
      }
      check(n == 100, "all");
    }
    c.commit();
    c.setAutoCommit(true);
    check(c.getTransactionIsolation() == Connection.TRANSACTION_READ_COMMITTED, "isolation");
    check(c.isValid(5), "valid");
  }

  static void refusal(Connection c) throws Exception {
    for (String sql : List.of("DROP TABLE users", "UPDATE users SET name = 'x'", "SELECT 1; TRUNCATE users")) {
      try (Statement s = c.createStatement()) {
        s.execute(sql);
        throw new Exception("not refused: " + sql);
      } catch (SQLException e) {
        check("42501".equals(e.getSQLState()), e.toString());
      }
    }
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT 1")) {
      check(r.next(), "it goes on");
    }
  }

  static void writes(Connection c) throws Exception {
    c.setAutoCommit(false);
    try (Statement s = c.createStatement()) {
      s.executeUpdate("DELETE FROM scratch");
    }
    try (PreparedStatement s = c.prepareStatement("INSERT INTO scratch VALUES (?, ?)")) {
      for (int i = 0; i < 300; i++) {
        s.setInt(1, i);
        s.setString(2, "w" + i);
        s.addBatch();
      }
      check(s.executeBatch().length == 300, "a batch");
    }
    Savepoint point = c.setSavepoint("point");
    try (Statement s = c.createStatement()) {
      s.executeUpdate("DELETE FROM scratch WHERE id < 10");
    }
    c.rollback(point);
    try (PreparedStatement s = c.prepareStatement("INSERT INTO scratch VALUES (?, ?)", Statement.RETURN_GENERATED_KEYS)) {
      s.setInt(1, 1000);
      s.setString(2, "keys");
      s.executeUpdate();
      try (ResultSet r = s.getGeneratedKeys()) {
        check(r.next() && r.getInt(1) == 1000, "keys");
      }
    }
    c.commit();
    c.setAutoCommit(true);
    var copy = c.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
    check(copy.copyIn("COPY scratch FROM STDIN", new java.io.StringReader("7\tx\n8\ty\n")) == 2, "copy in");
    var out = new java.io.StringWriter();
    copy.copyOut("COPY (SELECT count(*) FROM scratch) TO STDOUT", out);
    check(out.toString().equals("303\n"), out.toString());
    c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
    c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    c.setReadOnly(true);
    c.setReadOnly(false);
  }

  static void metadata(Connection c) throws Exception {
    DatabaseMetaData m = c.getMetaData();
    check(count(m.getTables(null, "public", "%", null)) >= 4, "tables");
    check(count(m.getColumns(null, "public", "users", "%")) == 6, "columns");
    check(count(m.getPrimaryKeys(null, "public", "users")) == 1, "primary keys");
    check(count(m.getImportedKeys(null, "public", "orders")) == 1, "imported keys");
    check(count(m.getExportedKeys(null, "public", "users")) == 1, "exported keys");
    check(count(m.getIndexInfo(null, "public", "orders", false, true)) == 2, "indexes");
    count(m.getSchemas());
    count(m.getCatalogs());
    count(m.getTypeInfo());
    count(m.getProcedures(null, "public", "%"));
    count(m.getFunctions(null, "public", "%"));
    count(m.getFunctionColumns(null, "public", "%", "%"));
    count(m.getUDTs(null, "public", "%", null));
    count(m.getTablePrivileges(null, "public", "%"));
    count(m.getColumnPrivileges(null, "public", "users", "%"));
    count(m.getClientInfoProperties());
    count(m.getBestRowIdentifier(null, "public", "users", 0, true));
    m.getMaxColumnNameLength();
    m.getSQLKeywords();
    m.getDatabaseProductVersion();
    try (PreparedStatement s = c.prepareStatement("SELECT id, ?::mood, ARRAY[1, 2], ARRAY['ok']::mood[] FROM users WHERE id = ?")) {
      s.setString(1, "ok");
      s.setInt(2, 1);
      s.getParameterMetaData();
      ResultSetMetaData r = s.getMetaData();
      check(r.getColumnCount() == 4 && r.getTableName(1).equals("users") && r.isAutoIncrement(1), "meta data");
      try (ResultSet rows = s.executeQuery()) {
        check(rows.next() && rows.getObject(2).equals("ok") && rows.getArray(4) != null, "types");
        check(Arrays.toString((Object[]) rows.getArray(4).getArray()).equals("[ok]"), "an array");
      }
    }
  }

  static int count(ResultSet r) throws SQLException {
    int n = 0;
    while (r.next()) n++;
    r.close();
    return n;
  }

  static void check(boolean ok, String what) throws Exception {
    if (!ok) throw new Exception("wrong: " + what);
  }
}
