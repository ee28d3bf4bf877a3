#include "tests/session/money/connection.hpp"

#include <cstdlib>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"

namespace money {
namespace {

namespace backend = protocol::backend;
namespace frontend = protocol::frontend;

constexpr protocol::whole_limits everything = [] {
  protocol::whole_limits limits;
  for (auto& bytes : limits.bytes) bytes = protocol::max_body_size;
  return limits;
}();

void must(bool built) {
  if (!built) std::abort();
}

}  // namespace

connection::connection(database& of, std::uint64_t id, int decimals, bool greets)
    : of_(of), id_(id), decimals_(decimals), greets_(greets), framer_(everything) {}

void connection::receive(std::string_view bytes) {
  if (greets_) greet(bytes);
  framer_.feed(bytes);
  for (auto piece = framer_.next(); piece.kind == protocol::piece_kind::whole; piece = framer_.next()) {
    messages_.emplace_back(piece.frame.wire);
  }
  framer_.settle();
}

void connection::greet(std::string_view& bytes) {
  startup_.append(bytes);
  bytes = {};
  if (startup_.size() < 4 || startup_.size() < static_cast<unsigned char>(startup_[3])) return;
  must(startup_.size() == static_cast<unsigned char>(startup_[3]));
  greets_ = false;
  must(backend::encode_authentication(backend::authentication_kind::ok, "", output_));
  must(backend::encode_backend_key_data(7, "abcd", output_));
  must(backend::encode_ready_for_query(backend::transaction_status::idle, output_));
}

bool connection::can_step(time_point now) const {
  if (finished_) return false;
  if (running_)
    return waits_for_ == nullptr || waits_for_->holder == nullptr || is_deadlocked() || is_late(now);
  return in_script_ || !messages_.empty() || ended_;
}

void connection::step(time_point now) {
  if (running_) return proceed(now);
  if (in_script_) return next_of_script(now);
  if (messages_.empty()) {
    finished_ = ended_;
    if (finished_) transaction_.reset();
    return;
  }
  const std::string message = std::move(messages_.front());
  messages_.pop_front();
  try {
    take({message[0], std::string_view(message).substr(protocol::header_size), message}, now);
  } catch (const sql_error& error) {
    fail(error);
    skipping_ = message[0] != 'Q';
    if (!skipping_) ready();
  }
}

void connection::take(const protocol::frame_view& from, time_point now) {
  if (from.tag == 'S') {
    skipping_ = false;
    if (!block_ && transaction_) end_transaction(true);
    return ready();
  }
  if (skipping_) return;
  switch (from.tag) {
    case 'P':
      return parse(from.body);
    case 'B':
      return bind(from.body);
    case 'D':
      return describe(from.body);
    case 'E':
      return execute(from.body, now);
    case 'C':
      return close(from.body);
    case 'Q': {
      const auto sql = frontend::decode_query(from.body);
      statements_.erase("");
      portals_.erase("");
      for (std::string& each : split_statements(*sql)) {
        static_cast<void>(read_statement(each));  // all of it is parsed before any of it runs
        script_.push_back(std::move(each));
      }
      in_script_ = true;
      return;
    }
    default:
      return;
  }
}

void connection::next_of_script(time_point now) {
  if (script_.empty()) return end_of_script();
  portal run;
  run.what = read_statement(script_.front());
  script_.pop_front();
  begin_running(std::move(run), true, now);
}

void connection::end_of_script() {
  in_script_ = false;
  script_.clear();
  if (!block_ && transaction_) end_transaction(true);
  ready();
}

void connection::parse(std::string_view body) {
  const auto parse = frontend::decode_parse(body);
  const std::string name(parse->statement);
  auto made = read_statement(parse->sql);
  if (is_refused(*made)) throw sql_error{"25P02", "current transaction is aborted"};
  if (name.empty()) statements_.erase(name);
  if (statements_.contains(name)) throw sql_error{"42P05", "prepared statement already exists"};
  statements_[name] = {std::move(made)};
  output_.append(backend::parse_complete_frame);
}

void connection::bind(std::string_view body) {
  const auto bind = frontend::decode_bind(body);
  const auto known = statements_.find(bind->statement);
  if (known == statements_.end()) throw sql_error{"26000", "no such prepared statement"};
  portal made;
  made.what = known->second.what;
  if (is_refused(*made.what)) throw sql_error{"25P02", "current transaction is aborted"};
  if (bind->values.size() != made.what->parameters) throw sql_error{"08P01", "wrong number of parameters"};
  for (std::size_t i = 0; i < bind->values.size(); ++i) {
    if (bind->format(i) != 0) throw sql_error{"0A000", "the model reads no binary"};
    const auto given = bind->value(i);
    made.parameters.push_back(given ? std::optional<std::string>(*given) : std::nullopt);
  }
  if (made.what->takes_snapshot_at_bind()) scan(made);
  const std::string name(bind->portal);
  if (name.empty()) portals_.erase(name);
  if (portals_.contains(name)) throw sql_error{"42P03", "portal already exists"};
  portals_.emplace(name, std::move(made));
  output_.append(backend::bind_complete_frame);
}

void connection::describe_rows(const statement& of) {
  std::vector<backend::field> fields;
  for (const std::string& column : of.columns) {
    if (column == "balance" && decimals_ == 2) {
      fields.push_back({column, 16384, 3, 1700, -1, (12 << 16) + 2 + 4, 0});
    } else if (column == "balance") {
      fields.push_back({column, 16384, 3, 23, 4, -1, 0});
    } else {
      fields.push_back({column, 16384, static_cast<std::int16_t>(column == "id" ? 1 : 2), 20, 8, -1, 0});
    }
  }
  if (of.what == verb::prelude && of.timed) fields.push_back({"set_config", 0, 0, 25, -1, -1, 0});
  if (of.what == verb::prelude) fields.push_back({"count", 0, 0, 20, 8, -1, 0});
  if (fields.empty()) {
    output_.append(backend::no_data_frame);
  } else {
    must(backend::encode_row_description(fields, output_));
  }
}

void connection::describe(std::string_view body) {
  const auto target = frontend::decode_describe(body);
  if (target->kind == frontend::target_kind::portal) {
    const auto known = portals_.find(target->name);
    if (known == portals_.end()) throw sql_error{"34000", "no such portal"};
    return describe_rows(*known->second.what);
  }
  const auto known = statements_.find(target->name);
  if (known == statements_.end()) throw sql_error{"26000", "no such prepared statement"};
  const std::vector<std::uint32_t> types(known->second.what->parameters, 20);
  must(backend::encode_parameter_description(types, output_));
  describe_rows(*known->second.what);
}

void connection::execute(std::string_view body, time_point now) {
  const auto execute = frontend::decode_execute(body);
  const auto known = portals_.find(execute->portal);
  if (known == portals_.end()) throw sql_error{"34000", "no such portal"};
  begin_running(known->second, false, now);
}

void connection::close(std::string_view body) {
  const auto target = frontend::decode_close(body);
  const std::string name(target->name);
  if (target->kind == frontend::target_kind::statement) {
    statements_.erase(name);
  } else {
    portals_.erase(name);
  }
  output_.append(backend::close_complete_frame);
}

void connection::ready() {
  using enum backend::transaction_status;
  must(backend::encode_ready_for_query(failed_ ? failed : (block_ ? in_block : idle), output_));
  if (!block_) portals_.clear();
}

void connection::fail(const sql_error& what) {
  protocol::error_message error;
  error.sqlstate = what.sqlstate;
  error.message = what.message;
  must(protocol::encode_error(error, output_));
  if (block_) {
    if (!failed_ && transaction_) transaction_->fail();
    failed_ = true;
  } else {
    transaction_.reset();
    portals_.clear();
  }
}

}  // namespace money
