#include "tests/e2e/fault_stage.hpp"

#include <algorithm>

namespace e2e {
namespace {

constexpr char audit_schema[] = R"(
CREATE TABLE noted (operation text, taken numeric);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO noted VALUES (NEW.owner, OLD.balance - NEW.balance);
  RETURN NEW;
END $$;
CREATE TRIGGER note AFTER UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE payments (order_id text, amount numeric);
CREATE FUNCTION note_payment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO noted VALUES (NEW.order_id, 0);
  RETURN NEW;
END $$;
CREATE TRIGGER note AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION note_payment();
)";

constexpr int all_that_there_is = 900000;  // so that every balance has as many digits
const std::string read_sql = "SELECT balance FROM wallets WHERE id = 1";
const std::string write_sql = "UPDATE wallets SET balance = $1, owner = $2 WHERE id = $3";

std::string write_text(const std::string& operation, long balance) {
  return "UPDATE wallets SET balance = " + std::to_string(balance) + ", owner = '" + operation +
         "' WHERE id = 1";
}

std::string batch(const std::string& sql, const std::vector<std::string>& values) {
  return parse("", sql) + e2e::bind("", "", values) + execute("");
}

guarded_write simple(const std::string& operation, long balance) {
  return {"simple", {{{query(read_sql)}}, {{query(write_text(operation, balance - 1))}}}};
}

guarded_write extended(const std::string& operation, long balance) {
  const std::string read = batch("SELECT balance FROM wallets WHERE id = $1", {"1"});
  const std::string write = batch(write_sql, {std::to_string(balance - 1), operation, "1"});
  return {"extended", {{{read + sync()}}, {{write + sync()}}}};
}

guarded_write transaction(const std::string& operation, long balance) {
  return {"transaction",
          {{{query("BEGIN")}, "08006"},
           {{query(read_sql)}, "08006"},
           {{query(write_text(operation, balance - 1))}, "08006"},
           {{query("COMMIT")}}}};
}

guarded_write relative(const std::string& operation, long) {
  const std::string sql = "UPDATE wallets SET balance = balance - 1, owner = $1 WHERE id = $2";
  return {"relative", {{{batch(sql, {operation, "1"}) + sync()}}}};
}

/// Everything at once, in one transaction of its own.
guarded_write pipeline(const std::string& operation, long balance) {
  const std::string first = batch(write_sql, {std::to_string(balance - 1), operation, "1"});
  const std::string sql = "UPDATE wallets SET balance = balance - 1, owner = $1 WHERE id = $2";
  const std::string second = batch(sql, {operation, "3"});
  return {"pipeline",
          {{{batch("BEGIN", {}) + batch(read_sql, {}) + sync()}, "08006"},
           {{first + second + batch("COMMIT", {}) + sync()}}},
          2};
}

guarded_write two_in_a_batch(const std::string& operation, long) {
  const std::string sql = "UPDATE wallets SET balance = balance - 1, owner = $1 WHERE id = $2";
  return {"two in a batch", {{{batch(sql, {operation, "1"}) + batch(sql, {operation, "3"}) + sync()}}}, 2};
}

guarded_write once(const std::string& operation, long) {
  return {"once", {{{query("INSERT INTO payments VALUES ('" + operation + "', 1)")}}}};
}

}  // namespace

const std::vector<write_shape>& write_shapes() {
  static const std::vector<write_shape> all{
      {"simple", simple},     {"extended", extended}, {"transaction", transaction},
      {"relative", relative}, {"pipeline", pipeline}, {"two in a batch", two_in_a_batch},
      {"once", once}};
  return all;
}

void fault_stage::SetUp() {
  shape_stage::SetUp();
  audit_ = std::make_unique<link>(cluster::conninfo(database_->name()));
  const reply made = audit_->run(audit_schema);
  ASSERT_TRUE(made.ok()) << made.message();
  ASSERT_TRUE(
      audit_->run("UPDATE wallets SET balance = " + std::to_string(all_that_there_is) + "; TRUNCATE noted")
          .ok());
}

std::string fault_stage::patient_rule(const std::string& strategy) {
  return wallet_rule("strategy = \"" + strategy +
                     "\"\nturns = \"on\"\nturn_timeout = \"55s\"\nlock_timeout = \"55s\"\n") +
         "[[once]]\nname = \"one-payment\"\ntable = \"payments\"\nkey = [\"order_id\"]\n";
}

void fault_stage::start_behind(int upstream_port, const std::string& strategy) {
  proxy_options options;
  options.rules = patient_rule(strategy);
  options.upstream_port = upstream_port;
  bystander_.reset();
  proxy_.reset();
  start(std::move(options));
  bystander_ = std::make_unique<link>(through_conninfo());
  ASSERT_TRUE(bystander_->open()) << bystander_->problem();
}

long fault_stage::whole_balance(int id) {
  return std::atol(
      value(*audit_, "SELECT trunc(balance) FROM wallets WHERE id = " + std::to_string(id)).c_str());
}

void fault_stage::await_end(const std::string& pid) {
  EXPECT_TRUE(eventually(
      [&] { return value(*audit_, "SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "0"; },
      std::chrono::seconds{10}))
      << "the backend lives on";
}

int fault_stage::noted(const std::string& operation) {
  return std::atoi(
      value(*audit_, "SELECT count(*) FROM noted WHERE operation = '" + operation + "'").c_str());
}

void fault_stage::expect_truth(const guarded_write& write, const std::string& operation, const told& heard) {
  const int found = noted(operation);
  EXPECT_TRUE(found == 0 || found == write.writes) << found << " of " << write.writes << " writes are there";
  if (heard.acknowledged) {
    EXPECT_EQ(found, write.writes) << "acknowledged and lost";
  } else if (!heard.sqlstate.empty() && heard.sqlstate != "08007") {
    EXPECT_EQ(found, 0) << "refused and done: " << heard.sqlstate;
  }
  EXPECT_EQ(value(*audit_, "SELECT sum(balance) + (SELECT coalesce(sum(taken), 0) FROM noted) FROM wallets"),
            std::to_string(10 * all_that_there_is) + ".00");
}

void fault_stage::expect_free() {
  for (const char* row : {"1", "2"}) {
    bystander_->begin("UPDATE wallets SET balance = balance - 1, owner = 'bystander' WHERE id = " +
                      std::string(row));
    ASSERT_TRUE(eventually([this] { return bystander_->answered(); }, std::chrono::seconds{10}))
        << "row " << row << " is not free";
    EXPECT_EQ(bystander_->collect().brief(), "ok UPDATE 1") << bystander_->problem();
  }
}

void fault_stage::expect_at_rest() {
  EXPECT_EQ(settled(*proxy_, "pgteller_turn_waiting{", 0), 0);
  EXPECT_EQ(settled(*proxy_, "pgteller_turns_active{", 0), 0);
  EXPECT_EQ(settled(*proxy_, "pgteller_client_connections", 1), 1) << "the bystander alone";
  EXPECT_EQ(locked_ids(), "");
}

told carry_out(wire& on, const guarded_write& write) {
  told heard{true, {}, {}};
  for (const fault_step& each : write.steps) {
    const messages got = play(on, {each.sent});
    const auto ready = std::count_if(got.begin(), got.end(), [](const auto& one) { return one[0] == 'Z'; });
    heard.acknowledged = heard.acknowledged && ready == each.sent.ready;
    for (const std::string& one : got) {
      if (one[0] != 'E') continue;
      heard.acknowledged = false;
      heard.sqlstate = error_field(one, 'C');
    }
    heard.all += texts(got);
  }
  return heard;
}

std::string backend_of(const wire& on) {
  for (const std::string& each : on.greeting()) {
    if (each[0] != 'K') continue;
    std::uint32_t pid = 0;
    for (std::size_t i = 5; i < 9; ++i) pid = pid << 8U | static_cast<unsigned char>(each[i]);
    return std::to_string(pid);
  }
  return "0";
}

}  // namespace e2e
