// JDBC: BEGIN in the batch of the first statement, named statements and binary results from the fifth use on.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;

import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class JdbcDriver {
  static final String READ = "SELECT balance FROM wallets WHERE id = ?";
  static final String WRITE = "UPDATE wallets SET balance = ? WHERE id = ?";

  interface Body {
    void run() throws SQLException;
  }

  static Connection connect(String port) throws SQLException {
    String url = "jdbc:postgresql://127.0.0.1:" + System.getenv(port) + "/" + System.getenv("DRIVER_DATABASE");
    return DriverManager.getConnection(url + "?sslmode=disable", "postgres", "");
  }

  static int run(Connection link, String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = link.prepareStatement(sql)) {
      for (int i = 0; i < values.length; ++i) statement.setObject(i + 1, values[i]);
      return statement.executeUpdate();
    }
  }

  static BigDecimal one(Connection link, String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = link.prepareStatement(sql)) {
      for (int i = 0; i < values.length; ++i) statement.setObject(i + 1, values[i]);
      ResultSet rows = statement.executeQuery();
      rows.next();
      return rows.getBigDecimal(1);
    }
  }

  static void same(Object expected, Object found, String what) {
    if (!expected.toString().equals(String.valueOf(found))) {
      throw new AssertionError(what + ": " + found + ", not " + expected);
    }
  }

  static ServerErrorMessage expect(String sqlstate, Body body) throws SQLException {
    try {
      body.run();
    } catch (SQLException error) {
      SQLException told = error instanceof BatchUpdateException ? error.getNextException() : error;
      same(sqlstate, told.getSQLState(), told.getMessage());
      return ((PSQLException) told).getServerErrorMessage();
    }
    throw new AssertionError("no " + sqlstate);
  }

  static BigDecimal readAndDisturb(Connection link, Connection direct) throws SQLException {
    BigDecimal balance = one(link, READ, 1L);
    run(direct, "UPDATE wallets SET balance = balance - 30 WHERE id = 1");
    return balance.subtract(BigDecimal.TEN);
  }

  static void lostUpdate(Connection here, Connection direct) throws SQLException {
    try (Connection there = connect("PGTELLER_TEST_PORT")) {
      run(there, WRITE, readAndDisturb(there, direct), 1L);
    }
    same("90.00", one(direct, READ, 1L), "directly, 30 are lost");
    int expected = 90;
    for (int round = 0; round < 7; ++round) {  // from text to binary, from unnamed to named
      run(direct, WRITE, new BigDecimal(1000), 1L);
      here.setAutoCommit(round % 2 == 0);
      BigDecimal computed = readAndDisturb(here, direct);
      ServerErrorMessage told = expect("40001", () -> run(here, WRITE, computed, 1L));
      same("public wallets wallet-balance", told.getSchema() + " " + told.getTable() + " " + told.getConstraint(),
          "fields");
      if (!here.getAutoCommit()) {
        expect("25P02", () -> one(here, "SELECT 1"));
        here.rollback();
      }
      run(here, WRITE, one(here, READ, 1L).subtract(BigDecimal.TEN), 1L);
      if (!here.getAutoCommit()) here.commit();
      same("960.00", one(direct, READ, 1L), "after a retry");
    }
    here.setAutoCommit(true);
  }

  static void strategies(Connection here, Connection direct) throws SQLException {
    ServerErrorMessage told =
        expect("23514", () -> run(here, "UPDATE wallets SET balance = balance - ? WHERE id = 2", 1000));
    same("balance wallet-balance", told.getColumn() + " " + told.getConstraint(), "fields");
    BigDecimal points = one(here, "SELECT points FROM points WHERE id = ?", 1L);
    run(direct, "UPDATE points SET points = points - 30 WHERE id = 1");
    run(here, "UPDATE points SET points = ? WHERE id = ?", points.intValue() - 10, 1L);
    same("60", one(direct, "SELECT points FROM points WHERE id = 1"), "both count");
    here.setAutoCommit(false);
    same("100", one(here, "SELECT stock FROM items WHERE id = ?", 1L), "stock");
    try (Connection other = connect("PGTELLER_PROXY_PORT")) {
      told = expect("55P03", () -> run(other, "UPDATE items SET stock = stock - ? WHERE id = 1", 1));
      same("item-stock", told.getConstraint(), "rule");
    }
    here.commit();
  }

  static void batches(Connection here) throws SQLException {
    String take = "UPDATE wallets SET balance = balance - ? WHERE id = ?";
    try (PreparedStatement batch = here.prepareStatement(take)) {
      for (int i = 0; i < 20; ++i) {
        batch.setInt(1, 1);
        batch.setLong(2, 4);
        batch.addBatch();
      }
      same(20, Arrays.stream(batch.executeBatch()).sum(), "rows of a batch");
      here.commit();
      for (int amount : new int[] {1, 1000, 1}) {
        batch.setInt(1, amount);
        batch.setLong(2, 4);
        batch.addBatch();
      }
      expect("23514", batch::executeBatch);
      here.rollback();
    }
    run(here, WRITE, BigDecimal.ONE, 3L);
    here.rollback();
    same("100.00", one(here, READ, 3L), "after a rollback");
    same("80.00", one(here, READ, 4L), "after batches");
    here.commit();
  }

  static void rest(Connection here) throws Exception {
    StringBuilder rows = new StringBuilder();
    for (int id = 200; id < 1200; ++id) rows.append(id).append("\t7\n");
    var copies = here.unwrap(PGConnection.class).getCopyAPI();
    same(1000, copies.copyIn("COPY wallets FROM STDIN", new StringReader(rows.toString())), "COPY FROM");
    StringWriter seen = new StringWriter();
    copies.copyOut("COPY (SELECT balance FROM wallets WHERE id >= 200) TO STDOUT", seen);
    same("7.00\n".repeat(1000), seen, "COPY TO");
    here.commit();
    try (PreparedStatement read = here.prepareStatement("SELECT balance FROM wallets WHERE id >= ?")) {
      read.setFetchSize(10);
      read.setLong(1, 200);
      ResultSet found = read.executeQuery();
      int count = 0;
      while (found.next()) ++count;
      same(1000, count, "rows by tens");
    }
    here.commit();
    here.setAutoCommit(true);
    expect("42P01", () -> run(here, "SELECT * FROM nowhere"));
    try (Statement slow = here.createStatement()) {
      slow.setQueryTimeout(1);
      expect("57014", () -> slow.executeQuery("SELECT balance, pg_sleep(30) FROM wallets WHERE id = 5"));
    }
    same("7", one(here, "SELECT 7"), "after a cancel");
  }

  public static void main(String[] none) throws Exception {
    try (Connection direct = connect("PGTELLER_TEST_PORT"); Connection here = connect("PGTELLER_PROXY_PORT")) {
      lostUpdate(here, direct);
      strategies(here, direct);
      batches(here);
      rest(here);
      System.out.println(here.getMetaData().getDriverName() + " " + here.getMetaData().getDriverVersion());
    }
  }
}
