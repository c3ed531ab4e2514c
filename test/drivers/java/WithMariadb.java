// MariaDB Connector/J through the gateway. Arguments: JDBC URL, user, password, which table is masked.
import java.sql.*;
import java.util.*;

public class WithMariadb {
  public static void main(String[] args) throws Exception {
    String masked = args[3];
    for (String more : List.of("", "?useSsl=true&trustServerCertificate=true", "?useServerPrepStmts=true", "?allowMultiQueries=true", "?useCursorFetch=true&defaultFetchSize=7")) {
      try (Connection c = DriverManager.getConnection(args[0] + more, args[1], args[2])) {
        reads(c, masked);
        refusal(c);
        writes(c);
        metadata(c);
      } catch (Exception e) {
        throw new Exception("with " + more, e);
      }
    }
  }

  static void reads(Connection c, String masked) throws Exception {
    try (PreparedStatement s = c.prepareStatement("SELECT id, name, email, age, born, note FROM users WHERE id = ?")) {
      for (int i = 0; i < 3; i++) {
        s.setInt(1, 3);
        try (ResultSet r = s.executeQuery()) {
          check(r.next() && r.getInt(1) == 3 && r.getString(2).equals("name 3"), "a row");
          if (masked.equals("the table read")) {
            check(r.getString(3).endsWith(".com") && !r.getString(3).contains("user"), "email");
            check(r.getInt(4) == 0 && r.getDate(5).toLocalDate().getYear() == 1970 && r.getString(6) == null, "masked");
          } else {
            check(r.getString(3).equals("user3@example.com") && r.getInt(4) == 23, "not masked");
            check(r.getDate(5).toString().equals("2000-01-04"), "born");
          }
        }
      }
    }
    try (Statement s = c.createStatement()) {
      s.setFetchSize(9);
      int n = 0;
      try (ResultSet r = s.executeQuery("SELECT id FROM orders ORDER BY id")) {
        while (r.next()) n++;
      }
      check(n == 100, "fetched " + n);
    }
  }

  static void refusal(Connection c) throws Exception {
    try (Statement s = c.createStatement()) {
      s.executeUpdate("DELETE FROM users");
      throw new Exception("not refused");
    } catch (SQLException e) {
      check(e.getErrorCode() == 1142 && e.getSQLState().equals("42000"), e.toString());
    }
    try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT 1")) {
      check(r.next() && r.getInt(1) == 1, "the next statement");
    }
  }

  static void writes(Connection c) throws Exception {
    c.setAutoCommit(false);
    try (PreparedStatement s = c.prepareStatement("INSERT INTO scratch VALUES (?, ?)")) {
      for (int i = 0; i < 20; i++) {
        s.setInt(1, i);
        s.setString(2, "w" + i);
        s.addBatch();
      }
      check(s.executeBatch().length == 20, "a batch");
    }
    c.rollback();
    c.setAutoCommit(true);
  }

  static void metadata(Connection c) throws Exception {
    DatabaseMetaData m = c.getMetaData();
    try (ResultSet r = m.getTables("shop", null, "users", null)) {
      check(r.next() && r.getString("TABLE_NAME").equals("users"), "tables");
    }
    try (ResultSet r = m.getColumns("shop", null, "users", null)) {
      int n = 0;
      while (r.next()) n++;
      check(n == 6, "columns");
    }
    try (ResultSet r = m.getPrimaryKeys("shop", null, "users")) {
      check(r.next() && r.getString("COLUMN_NAME").equals("id"), "primary key");
    }
    check(c.isValid(5), "valid");
  }

  static void check(boolean right, String what) throws Exception {
    if (!right) throw new Exception(what);
  }
}
