#include "tests/session/money/client.hpp"

#include <utility>

#include "protocol/backend.hpp"
#include "protocol/error_fields.hpp"
#include "tests/session/money/expression.hpp"

namespace money {
namespace {

using type = step::type;

constexpr protocol::whole_limits everything = [] {
  protocol::whole_limits limits;
  for (auto& bytes : limits.bytes) bytes = protocol::max_body_size;
  return limits;
}();

constexpr int most_tries = 300;

bool is_write(const step& what) {
  return what.what == type::write || what.what == type::add || what.what == type::add_if ||
         what.what == type::add_user || what.what == type::remove;
}

bool may_be_tried_again(std::string_view sqlstate) {
  return sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03" || sqlstate == "42501" ||
         sqlstate == "57014";
}

}  // namespace

void ledger::add(const effects& done_now) {
  for (const effect& each : done_now) deltas[each.row] += each.delta;
}

client::client(manner how, std::vector<unit> units, const estate& of, ledger& book, dice& random)
    : how_(std::move(how)),
      units_(std::move(units)),
      of_(of),
      book_(book),
      random_(random),
      framer_(everything) {}

std::string client::doing() const {
  return "unit " + std::to_string(next_) + " of " + std::to_string(units_.size()) + " step " +
         std::to_string(at_) + " status " + status_ + (awaits_ ? " awaits an answer" : "");
}

std::string client::next_bytes() {
  if (!gather_flight()) return {};
  answers_.clear();
  answer_ = {};
  error_.clear();
  awaits_ = true;
  return how_.extended ? in_extended(flight_) : in_simple(flight_);
}

/// The steps that are sent now. False: all units are done.
bool client::gather_flight() {
  for (;;) {
    flight_.clear();
    if (rolls_back_) {
      flight_.push_back({type::rollback});
      return true;
    }
    if (next_ == units_.size()) return false;
    const std::vector<step>& steps = units_[next_].steps;
    if (at_ == 0) begin_try();
    if (at_ == steps.size()) {
      ++book_.done;
      end_unit();
    } else if (cannot_go_on(steps[at_])) {
      give_up();
    } else {
      flight_.push_back(steps[at_]);
      for (std::size_t i = at_ + 1; i < steps.size() && steps[i].with_previous; ++i)
        flight_.push_back(steps[i]);
      return true;
    }
  }
}

void client::begin_try() {
  read_.clear();
  moved_.clear();
  pending_.clear();
  takes_.clear();
  if (tries_ == 0 || random_.one_in(2)) ++traced_;
}

void client::end_unit() {
  ++next_;
  at_ = 0;
  tries_ = 0;
  gives_up_ = false;
}

void client::give_up() {
  ++book_.given_up;
  gives_up_ = true;
  rolls_back_ = status_ != 'I';
  if (!rolls_back_) end_unit();
}

void client::lose_interest() {
  if (next_ == units_.size() || awaits_ || rolls_back_) return;
  if (at_ > 0) give_up();
}

effects client::lose_connection() {
  effects maybe;
  bool commits = awaits_ && status_ == 'I';
  for (const step& each : flight_) {
    if (each.what == type::begin) commits = false;
    if (each.what == type::commit) commits = true;
  }
  if (awaits_ && commits) {
    maybe = pending_;
    std::swap(maybe, pending_);
    for (const step& each : flight_) {
      if (is_write(each)) note_effect(each, {"UPDATE 1", {}});
    }
    std::swap(maybe, pending_);
  }
  awaits_ = false;
  greeted_ = false;
  rolls_back_ = false;
  status_ = 'I';
  flight_.clear();
  prepared_.clear();
  being_prepared_.clear();
  framer_ = protocol::framer(everything);
  if (next_ < units_.size()) end_unit();
  return maybe;
}

bool client::hear(std::string_view bytes, std::uint64_t& acknowledged) {
  bool failed = false;
  framer_.feed(bytes);
  for (auto piece = framer_.next(); piece.kind == protocol::piece_kind::whole; piece = framer_.next()) {
    failed = failed || piece.frame.tag == 'E';
    take(piece.frame, acknowledged);
  }
  framer_.settle();
  return failed;
}

void client::take(const protocol::frame_view& from, std::uint64_t& acknowledged) {
  switch (from.tag) {
    case 'E': {
      const protocol::error_fields fields(from.body);
      if (!error_.empty()) trouble_ = "two errors in one answer";
      error_ = fields.text('C');
      ++book_.errors[error_];
      if (!may_be_tried_again(error_) && error_ != "23514") {
        trouble_ = "error " + error_ + ": " + std::string(fields.text('M'));
      }
      return;
    }
    case 'D': {
      std::vector<std::string> row;
      const auto values = protocol::backend::decode_data_row(from.body);
      for (const auto& each : *values) row.emplace_back(each.value_or(""));
      answer_.rows.push_back(std::move(row));
      return;
    }
    case 'C':
      answer_.command_tag = *protocol::backend::decode_command_complete(from.body);
      answers_.push_back(std::exchange(answer_, {}));
      return;
    case 'R':
      greeted_ = true;
      return;
    case 'Z':
      if (std::exchange(greeted_, false)) return;
      status_ = from.body[0];
      if (awaits_) finish_flight(acknowledged);
      return;
    default:
      return;
  }
}

void client::finish_flight(std::uint64_t& acknowledged) {
  awaits_ = false;
  for (auto& [sql, name] : std::exchange(being_prepared_, {})) {
    if (error_.empty()) prepared_[sql] = name;
  }
  if (!error_.empty()) return fail();
  if (answers_.size() != flight_.size()) {
    trouble_ = "statements without an answer";
    return;
  }
  if (rolls_back_) {
    rolls_back_ = false;
    at_ = 0;
    if (gives_up_) end_unit();
    return;
  }
  for (std::size_t i = 0; i < flight_.size(); ++i) learn(flight_[i], answers_[i]);
  at_ += flight_.size();
  if (status_ == 'I') acknowledge(acknowledged);
}

void client::fail() {
  if (error_ == "23514" || (error_ == "57014" && random_.one_in(2))) {
    give_up();
  } else if (++tries_ > most_tries) {
    trouble_ = "a unit has failed too often, at last with " + error_;
  } else {
    rolls_back_ = status_ != 'I';
    at_ = 0;
  }
}

void client::acknowledge(std::uint64_t& acknowledged) {
  if (!pending_.empty()) ++acknowledged;
  book_.add(pending_);
  for (const std::int64_t item : takes_) ++book_.taken[item];
  pending_.clear();
  takes_.clear();
}

void client::learn(const step& of, const answer& got) {
  switch (of.what) {
    case type::read:
    case type::read_user:
    case type::read_locked:
      for (const auto& row : got.rows) {
        const std::int64_t id = std::stol(row[0]);
        // The first value counts since its own last write.
        if (!how_.trusts_last && read_.contains(id) && moved_[id] == 0) continue;
        read_[id] = hundredths_of(row[1]);
        moved_[id] = 0;
      }
      return;
    case type::savepoint:
      saved_moved_ = moved_;
      saved_pending_ = pending_.size();
      return;
    case type::rollback_to:
      moved_ = saved_moved_;
      pending_.resize(saved_pending_);
      return;
    case type::rollback:
      moved_.clear();
      pending_.clear();
      takes_.clear();
      return;
    case type::commit:
      if (got.command_tag != "COMMIT") trouble_ = "COMMIT was answered with " + got.command_tag;
      return;
    case type::begin:
      return;
    default:
      note_effect(of, got);
  }
}

void client::note_effect(const step& of, const answer& got) {
  if (of.what == type::remove) takes_.push_back(of.row);
  if (got.command_tag.ends_with(" 0")) return;
  for (const std::int64_t row : of_.wallets) {
    const bool meant = of.what == type::add_user ? user_of(row) == user_of(of.row) : row == of.row;
    if (!meant) continue;
    pending_.push_back({row, of.delta});
    moved_[row] += of.delta;
  }
  if (of.what == type::remove) pending_.push_back({of.row, 0});
}

std::int64_t client::believed(std::int64_t row) const {
  const auto moved = moved_.find(row);
  return read_.at(row) + (moved == moved_.end() ? 0 : moved->second);
}

bool client::cannot_go_on(const step& next) const {
  if (next.what == type::remove) return !read_.contains(next.row);
  if (next.what != type::write && next.what != type::add) return false;
  return read_.contains(next.row) && believed(next.row) + next.delta < 0;
}

}  // namespace money
