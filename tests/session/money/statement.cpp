#include "tests/session/money/statement.hpp"

#include <algorithm>
#include <unordered_map>

namespace money {
namespace {

class statement_reader {
 public:
  explicit statement_reader(const std::vector<token>& tokens) : at_(tokens) {}

  statement read() {
    if (at_.at_end()) return made_;
    if (at_.take("begin")) {
      made_.what = verb::begin;
    } else if (at_.take("commit")) {
      made_.what = verb::commit;
    } else if (at_.take("savepoint")) {
      made_.what = verb::savepoint;
      made_.savepoint = at_.name();
    } else if (at_.take("release")) {
      made_.what = verb::release;
      made_.savepoint = at_.name();
    } else if (at_.take("rollback")) {
      rollback();
    } else if (at_.take("update")) {
      update();
    } else if (at_.take("delete")) {
      at_.expect("from");
      table();
      made_.what = verb::remove;
      where();
    } else {
      at_.expect("select");
      select();
    }
    if (!at_.at_end()) throw sql_error{"42601", "the model cannot read what is at the end"};
    return made_;
  }

 private:
  void rollback() {
    made_.what = at_.take("to") ? verb::rollback_to : verb::rollback;
    if (made_.what == verb::rollback) return;
    static_cast<void>(at_.take("savepoint"));
    made_.savepoint = at_.name();
  }

  void table() {
    if (at_.name() != "wallets") throw sql_error{"42P01", "the model knows wallets alone"};
  }

  void where() {
    if (at_.take("where")) made_.where = at_.parse();
  }

  void update() {
    made_.what = verb::update;
    table();
    at_.expect("set");
    at_.expect("balance");
    at_.expect("=");
    made_.assigned = at_.parse();
    where();
  }

  void select() {
    if (at_.sees("cast")) {
      made_.what = verb::raise;
      made_.counted = at_.parse();
      return;
    }
    if (at_.sees("set_config") || at_.sees("cardinality") || (at_.sees("(") && at_.sees("select", 1)))
      return prelude();
    made_.what = verb::select;
    do {
      made_.columns.push_back(at_.name());
    } while (at_.take(","));
    at_.expect("from");
    table();
    where();
    lock();
  }

  void lock() {
    if (!at_.take("for")) return;
    made_.locks = true;
    if (at_.take("no")) at_.expect("key");
    at_.expect("update");
    if (at_.take("of")) table();
  }

  // The wrapping around the rows' own SELECT is looked at as far as it matters.
  void prelude() {
    made_.what = verb::prelude;
    made_.timed = at_.sees("set_config");
    while (!at_.sees("cardinality") && !at_.sees("count")) {
      if (at_.here().text.ends_with("ms") && at_.sees("then", 1)) timeout();
      skip();
    }
    made_.counts_nulls = at_.sees("cardinality");
    if (made_.counts_nulls) {
      for (const char* word : {"cardinality", "(", "array", "("}) at_.expect(word);
      gathered();
      at_.expect(")");
    } else {
      counted();
    }
    while (made_.timed && !at_.at_end()) skip();
  }

  // SELECT 1 FROM …, or an expression over the rows.
  void gathered() {
    at_.expect("select");
    const bool only_locks = !at_.sees("case");
    made_.counted = at_.parse();
    at_.expect("from");
    if (only_locks) return locked_rows();
    rows_behind();
  }

  void counted() {
    at_.expect("count");
    at_.expect("(");
    made_.counted = at_.parse();
    at_.expect(")");
    at_.expect("from");
    rows_behind();
  }

  void rows_behind() {
    while (!(at_.sees("select") && at_.sees("id", 1))) {
      if (at_.sees("left")) made_.outer = true;
      skip();
    }
    at_.expect("select");
    do {
      expression yielded = at_.parse();
      at_.expect("as");
      made_.yields.emplace_back(at_.name(), std::move(yielded));
    } while (at_.take(","));
    at_.expect("from");
    locked_rows();
    at_.expect("pgteller_w");
    if (at_.take("on")) at_.expect("true");
    at_.expect(")");
  }

  void locked_rows() {
    table();
    where();
    at_.expect("order");
    at_.expect("by");
    skip();
    lock();
    at_.expect(")");
  }

  void timeout() { made_.lock_timeout = std::chrono::milliseconds(std::stol(at_.here().text)); }

  void skip() {
    if (at_.at_end()) throw sql_error{"42601", "the model cannot read a hidden statement"};
    at_.skip();
  }

  expression_parser at_;
  statement made_;
};

}  // namespace

std::shared_ptr<const statement> read_statement(std::string_view sql) {
  static std::unordered_map<std::string, std::shared_ptr<const statement>> known;
  std::string text(sql);
  if (const auto found = known.find(text); found != known.end()) return found->second;
  const std::vector<token> tokens = tokens_of(sql);
  statement made = statement_reader(tokens).read();
  made.text = text;
  for (const token& each : tokens) {
    if (each.kind != token::type::parameter) continue;
    made.parameters = std::max<std::size_t>(made.parameters, std::stoul(each.text));
  }
  constexpr std::size_t most_known = 20'000;
  if (known.size() == most_known) known.clear();
  return known.emplace(std::move(text), std::make_shared<const statement>(std::move(made))).first->second;
}

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> parts;
  while (!sql.empty()) {
    const std::size_t end = std::min(sql.find(';'), sql.size());
    std::string_view part = sql.substr(0, end);
    part.remove_prefix(std::min(part.find_first_not_of(" \n"), part.size()));
    if (!part.empty()) parts.emplace_back(part);
    sql.remove_prefix(std::min(end + 1, sql.size()));
  }
  return parts;
}

}  // namespace money
