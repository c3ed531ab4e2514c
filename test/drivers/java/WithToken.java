// JDBC by token: asks one query and how the grant stands, plain, prepared and in binary. Arguments: JDBC URL, user; the token is in TOKEN.
import java.sql.*;

public class WithToken {
  public static void main(String[] args) throws Exception {
    try (Connection c = DriverManager.getConnection(args[0], args[1], System.getenv("TOKEN"))) {
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT name FROM users WHERE id = 1")) {
        r.next();
        System.out.println(r.getString(1));
      }
      try (PreparedStatement s = c.prepareStatement("SALLYPORT STATUS")) {
        for (int i = 0; i < 7; i++) {
          try (ResultSet r = s.executeQuery()) {
            if (!r.next() || r.getInt("seconds_left") < 1 || r.getInt("approvals_waiting") != 0) throw new Exception("status");
            if (i == 6) System.out.println(r.getString("state") + " " + r.getMetaData().getColumnCount() + " " + r.next());
          }
        }
      }
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("sallyport complete;")) {
        r.next();
        System.out.println(r.getString(3));
      }
    }
  }
}
