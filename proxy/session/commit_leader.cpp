#include "proxy/session/commit_leader.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "protocol/error_fields.hpp"
#include "protocol/frontend.hpp"

namespace proxy::session {
namespace {

namespace frontend = protocol::frontend;
namespace tag = protocol::backend_tag;

/// The client's own names are left alone; the unnamed portal is free outside a transaction.
std::string name_of(std::size_t number) {
  return "_pgteller_" + std::to_string(number);
}

/// Stays prepared between groups: its meaning depends on no name of the client's.
constexpr char limit_name[] = "_pgteller_limit";

using statement_key = std::pair<std::string_view, const std::vector<std::uint32_t>*>;
struct by_value {
  bool operator()(const statement_key& one, const statement_key& other) const {
    if (one.first != other.first) return one.first < other.first;
    return *one.second < *other.second;
  }
};

/// A shorter lock_timeout of the session's own stays. It ends with the transaction.
group_statement limit_of_waiting(std::chrono::milliseconds longest) {
  group_statement made;
  made.sql =
      "SELECT pg_catalog.set_config('lock_timeout', CASE WHEN "
      "CAST(pg_catalog.current_setting('lock_timeout') "
      "AS pg_catalog.interval) BETWEEN '1ms' AND CAST($1 AS pg_catalog.interval) "
      "THEN pg_catalog.current_setting('lock_timeout') ELSE $1 END, true)";
  constexpr std::uint32_t text = 25;
  made.types = {text};
  bound_value value;
  value.bytes = std::to_string(longest.count()) + "ms";
  made.values.push_back(std::move(value));
  made.hidden = true;
  return made;
}

/// The messages of a group and what each makes owed.
class pipeline_writer {
 public:
  explicit pipeline_writer(std::size_t names_left) : left_{names_left} {
    for (std::size_t i = 0; i < left_; ++i) close(name_of(i));
  }

  void begin_member() { in_member_ = true; }
  void next_member() { ++member_; }

  void add(const group_statement& what) {
    const auto [known, added] = names_.emplace(statement_key{what.sql, &what.types}, names_.size());
    const std::string name = name_of(known->second);
    if (added) expect(frontend::encode_parse(name, what.sql, what.types, bytes), request::parse);
    run(name, what);
  }

  /// `left`: it may be there, but not for certain.
  void prepare_limit(const group_statement& what, bool left) {
    if (left) close(limit_name);
    expect(frontend::encode_parse(limit_name, what.sql, what.types, bytes), request::parse);
    owes.back().keeps = true;
  }

  void run(std::string_view name, const group_statement& what) {
    std::vector<std::int16_t> formats;
    std::vector<std::optional<std::string_view>> values;
    for (const bound_value& each : what.values) {
      formats.push_back(each.format);
      values.push_back(each.bytes ? std::optional<std::string_view>(*each.bytes) : std::nullopt);
    }
    expect(frontend::encode_bind("", name, formats, values, what.result_formats, bytes), request::bind);
    if (what.describes) {
      expect(frontend::encode_describe(frontend::target_kind::portal, "", bytes), request::describe_portal,
             !what.hidden);
    }
    expect(frontend::encode_execute("", 0, bytes), request::execute, !what.hidden);
  }

  void end() {
    in_member_ = false;
    for (std::size_t i = 0; i < names_.size(); ++i) close(name_of(i));
    bytes.append(frontend::sync_frame);
  }

  struct owed_step {
    request what = request::sync;
    std::size_t member = 0;
    bool of_member = false;
    bool visible = false;
    bool keeps = false;
  };
  std::string bytes;
  std::vector<owed_step> owes;
  bool good = true;
  [[nodiscard]] std::size_t names() const { return names_.size(); }

 private:
  void close(std::string_view name) {
    expect(frontend::encode_close(frontend::target_kind::statement, name, bytes), request::close);
  }
  void expect(bool built, request what, bool visible = false) {
    good = good && built;
    owes.push_back({what, member_, in_member_, visible});
  }

  std::size_t left_;
  std::map<statement_key, std::size_t, by_value> names_;
  std::size_t member_ = 0;
  bool in_member_ = false;
};

}  // namespace

bool commit_leader::begin(const std::vector<group_member>& group, std::chrono::milliseconds lock_timeout,
                          reply_ledger& ledger, outbox& out) {
  pipeline_writer made{names_left_};
  if (lock_timeout.count() > 0) {
    const group_statement limit = limit_of_waiting(lock_timeout);
    if (limit_ != kept::surely) made.prepare_limit(limit, limit_ == kept::doubted);
    made.run(limit_name, limit);
  }
  made.begin_member();
  for (const group_member& each : group) {
    for (const group_statement& what : each.job->statements) made.add(what);
    made.next_member();
  }
  made.end();
  if (!made.good) return false;
  steps_.clear();
  for (const auto& each : made.owes) {
    steps_.push_back({each.member, each.of_member, each.visible, each.keeps});
    static_cast<void>(ledger.expect({.what = each.what, .hidden = true, .kept = note::group}));
  }
  static_cast<void>(ledger.expect({.what = request::sync, .hidden = true, .kept = note::group}));
  out.to_server.append(made.bytes);
  frames_.assign(group.size(), {});
  names_left_ = std::max(names_left_, made.names());
  running_ = true;
  failed_ = blames_ = false;
  sqlstate_.clear();
  return true;
}

bool commit_leader::takes(char message, bool asynchronous) {
  if (!asynchronous) return true;
  streaming_ = nullptr;
  return message == tag::notice_response && !steps_.empty() && steps_.front().of_member;
}

bool commit_leader::on_reply(const protocol::piece& from, const ruling& answer) {
  streaming_ = nullptr;
  if (from.frame.tag == tag::error_response) {
    on_error(from.frame.body, answer);
    return false;
  }
  if (from.frame.tag == tag::ready_for_query) {
    if (!failed_) names_left_ = 0;
    return true;
  }
  if (steps_.empty()) return false;
  const step at = steps_.front();
  if (at.visible) {
    std::string& into = frames_[at.member];
    into.append(from.frame.wire);
    if (from.kind == protocol::piece_kind::head) streaming_ = &into;
  }
  if (at.keeps) limit_ = kept::surely;
  if (answer.settled) steps_.pop_front();
  return false;
}

void commit_leader::on_part(std::string_view bytes) {
  if (streaming_ != nullptr) streaming_->append(bytes);
}

void commit_leader::on_error(std::string_view body, const ruling& answer) {
  const protocol::error_fields fields(body);
  sqlstate_ = fields.text(protocol::error_code::sqlstate);
  const std::string_view severity = fields.text(protocol::error_code::severity_plain);
  const bool fatal = severity == "FATAL" || severity == "PANIC";
  // An error that answers the Sync is one of the commit: the transaction has been rolled back. Not so where
  // the server only says that it ends the connection.
  const bool at_commit = answer.subject.what == request::sync || steps_.empty();
  failed_ = failed_ || !(fatal && at_commit);
  if (!at_commit && !blames_) {
    blames_ = steps_.front().of_member;
    culprit_ = steps_.front().member;
    if (!blames_) doubt_names();
  }
  steps_.clear();
}

group_result::type commit_leader::outcome() const {
  using type = group_result::type;
  if (!failed_) return type::committed;
  if (sqlstate_ == "55P03") return type::timed_out;
  // A cancelled statement, a deadlock, a failing server: whose statement it met says nothing.
  // Nor does a name that the client of this session has taken.
  const bool own = blames_ && sqlstate_ != "42P05" && !sqlstate_.starts_with("57") &&
                   !sqlstate_.starts_with("40P") && !sqlstate_.starts_with("53") &&
                   !sqlstate_.starts_with("08");
  return own ? type::refused : type::failed;
}

group_result commit_leader::take_result(bool lost) {
  group_result result;
  result.what = lost && !failed_ ? group_result::type::lost : outcome();
  result.culprit = culprit_;
  result.frames = std::exchange(frames_, {});
  running_ = false;
  streaming_ = nullptr;
  steps_.clear();
  return result;
}

}  // namespace proxy::session
