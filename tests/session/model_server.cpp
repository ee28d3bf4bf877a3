#include "tests/session/model_server.hpp"

#include <algorithm>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"

namespace stage {
namespace {

namespace backend = protocol::backend;
namespace frontend = protocol::frontend;

constexpr protocol::whole_limits everything = [] {
  protocol::whole_limits limits;
  for (auto& bytes : limits.bytes) bytes = protocol::max_body_size;
  return limits;
}();

bool is_hidden(std::string_view sql) {
  return sql.starts_with("SELECT pg_catalog.") || sql.starts_with("SELECT CAST('pgteller");
}
bool ends_block(std::string_view sql) {
  return sql.starts_with("COMMIT") || sql.starts_with("ROLLBACK");
}

/// Statements of a string, split at semicolons; quotes do not occur in the model's SQL except in hidden
/// statements, which hold none.
std::vector<std::string> split(std::string_view sql) {
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

void must(bool built) {
  if (!built) std::abort();
}

}  // namespace

model_server::model_server() : framer_(everything) {}

void model_server::receive(std::string_view bytes) {
  framer_.feed(bytes);
  for (auto piece = framer_.next(); piece.kind == protocol::piece_kind::whole; piece = framer_.next()) {
    take(piece.frame);
  }
  framer_.settle();
}

void model_server::take(const protocol::frame_view& from) {
  if (copying_) return in_copy(from);
  if (from.tag == 'S') return sync();
  if (skipping_) return;
  switch (from.tag) {
    case 'P':
      return parse(from.body);
    case 'B':
      return bind(from.body);
    case 'D':
      return describe(from.body);
    case 'E':
      return execute(from.body);
    case 'C':
      return close(from.body);
    case 'Q':
      return query(from.body);
    default:
      return;
  }
}

void model_server::in_copy(const protocol::frame_view& from) {
  if (from.tag == 'd' || from.tag == 'H' || from.tag == 'S') return;
  end_copy(from.tag != 'c');
}

void model_server::end_copy(bool failed) {
  copying_ = false;
  if (failed) {
    fail("57014", "COPY from stdin failed");
    rest_.clear();
    if (!in_query_) skipping_ = true;
  } else {
    must(backend::encode_command_complete("COPY 0", output_));
  }
  if (in_query_) run_rest();
}

void model_server::fail(std::string_view sqlstate, std::string_view message) {
  protocol::error_message error;
  error.sqlstate = sqlstate;
  error.message = message;
  must(protocol::encode_error(error, output_));
  if (status_ == 'T') status_ = 'E';
}

void model_server::refuse_format() {
  fail("08P01", "invalid message format");
  skipping_ = true;
}

void model_server::ready() {
  must(backend::encode_ready_for_query(static_cast<backend::transaction_status>(status_), output_));
  if (status_ == 'I') portals_.clear();
}

bool model_server::run(const std::string& sql) {
  if (status_ == 'E' && !ends_block(sql)) {
    fail("25P02", "current transaction is aborted");
    return false;
  }
  const bool breaks_bound = sql.find("1000") != std::string::npos;
  if (is_hidden(sql)) ++hidden_run_;
  if (sql == "SELECT CAST('pgteller/refused' AS int)") {
    fail("22P02", "invalid input syntax for type integer: \"pgteller/refused\"");
    return false;
  }
  if (breaks_bound && is_hidden(sql)) {
    fail("22P02", "invalid input syntax for type integer: \"pgteller/0/0/1//\"");
    return false;
  }
  if (breaks_bound || sql.find("division") != std::string::npos) {
    fail(breaks_bound ? "23514" : "22012", "it failed");
    return false;
  }
  if (!is_hidden(sql)) ran_.push_back(sql);
  if (sql.starts_with("COPY")) {
    output_.append(std::string_view("G\0\0\0\7\0\0\0", 8));
    copying_ = true;
    return true;
  }
  if (sql.starts_with("BEGIN")) status_ = 'T';
  if (ends_block(sql)) {
    status_ = 'I';
    portals_.clear();
  }
  if (sql.starts_with("SELECT")) {
    const std::optional<std::string_view> one = "1";
    must(backend::encode_data_row({&one, 1}, output_));
  }
  must(backend::encode_command_complete(sql.substr(0, sql.find(' ')), output_));
  return true;
}

void model_server::parse(std::string_view body) {
  const auto parse = frontend::decode_parse(body);
  const auto refuse = [&](std::string_view sqlstate, std::string_view message) {
    fail(sqlstate, message);
    skipping_ = true;
  };
  if (!parse) return refuse("08P01", "invalid message format");
  const std::string name(parse->statement);
  if (name.empty()) statements_.erase(name);
  if (status_ == 'E' && !ends_block(parse->sql)) return refuse("25P02", "current transaction is aborted");
  if (parse->sql.find("nosuch") != std::string_view::npos) return refuse("42703", "no such column");
  if (statements_.contains(name)) return refuse("42P05", "prepared statement already exists");
  statements_.emplace(name, parse->sql);
  output_.append(backend::parse_complete_frame);
}

void model_server::bind(std::string_view body) {
  const auto bind = frontend::decode_bind(body);
  if (!bind) return refuse_format();
  const auto statement = statements_.find(bind->statement);
  const std::string portal(bind->portal);
  const bool taken = !portal.empty() && portals_.contains(portal);
  const bool aborted = status_ == 'E' && statement != statements_.end() && !ends_block(statement->second);
  if (statement == statements_.end() || taken || aborted) {
    fail(aborted ? "25P02" : "26000", "cannot bind");
    skipping_ = true;
    return;
  }
  portals_.insert_or_assign(portal, statement->second);
  output_.append(backend::bind_complete_frame);
}

void model_server::describe(std::string_view body) {
  const auto target = frontend::decode_describe(body);
  if (!target) return refuse_format();
  const bool statement = target->kind == frontend::target_kind::statement;
  const auto& known = statement ? statements_ : portals_;
  if (!known.contains(target->name)) {
    fail("26000", "nothing to describe");
    skipping_ = true;
    return;
  }
  if (statement) must(backend::encode_parameter_description({}, output_));
  output_.append(backend::no_data_frame);
}

void model_server::execute(std::string_view body) {
  const auto execute = frontend::decode_execute(body);
  if (!execute) return refuse_format();
  const auto portal = portals_.find(execute->portal);
  if (portal == portals_.end()) {
    fail("34000", "no such portal");
    skipping_ = true;
    return;
  }
  const std::string sql = portal->second;  // the portal may end with its transaction
  in_query_ = false;
  if (!run(sql)) skipping_ = true;
}

void model_server::close(std::string_view body) {
  const auto target = frontend::decode_close(body);
  if (!target) return refuse_format();
  auto& known = target->kind == frontend::target_kind::statement ? statements_ : portals_;
  known.erase(std::string(target->name));
  output_.append(backend::close_complete_frame);
}

void model_server::query(std::string_view body) {
  const auto sql = frontend::decode_query(body);
  statements_.erase("");
  in_query_ = true;
  rest_.clear();
  if (!sql) {
    fail("08P01", "invalid message format");
  } else if (sql->find("nosuch") != std::string_view::npos) {
    fail("42703", "no such column");
  } else {
    rest_ = split(*sql);
    if (rest_.empty()) output_.append(std::string_view("I\0\0\0\4", 5));
  }
  run_rest();
}

void model_server::run_rest() {
  while (!rest_.empty()) {
    const std::string next = std::move(rest_.front());
    rest_.erase(rest_.begin());
    if (!run(next)) break;
    if (copying_) return;
  }
  rest_.clear();
  ready();
}

void model_server::sync() {
  skipping_ = false;
  ready();
}

}  // namespace stage
