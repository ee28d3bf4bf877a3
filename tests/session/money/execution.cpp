// How the model's connections run statements.
#include <algorithm>
#include <cstdlib>

#include "protocol/backend.hpp"
#include "tests/session/money/connection.hpp"

namespace money {
namespace {

namespace backend = protocol::backend;

void must(bool built) {
  if (!built) std::abort();
}

}  // namespace

bool connection::is_refused(const statement& what) const {
  return failed_ && !what.ends_block() && what.what != verb::rollback_to;
}

void connection::begin_running(portal run, bool simple, time_point now) {
  running_.emplace();
  running_->run = std::move(run);
  running_->simple = simple;
  running_->since = now;
  proceed(now);
}

void connection::proceed(time_point now) {
  try {
    if (is_refused(*running_->run.what)) throw sql_error{"25P02", "current transaction is aborted"};
    if (waits_for_ != nullptr && waits_for_->holder != nullptr) {
      if (is_deadlocked()) throw sql_error{"40P01", "deadlock detected"};
      if (std::exchange(cancelled_, false))
        throw sql_error{"57014", "canceling statement due to user request"};
      if (is_late(now)) throw sql_error{"55P03", "canceling statement due to lock timeout"};
      return;
    }
    waits_for_ = nullptr;
    cancelled_ = false;
    const statement& what = *running_->run.what;
    if (what.what == verb::raise) static_cast<void>(evaluate(what.counted, {}, {}));
    const bool on_rows = what.what == verb::select || what.what == verb::update ||
                         what.what == verb::remove || what.what == verb::prelude;
    if (!on_rows) {
      run_command(what);
    } else if (!run_on_rows()) {
      return;  // it waits
    }
    running_.reset();
  } catch (const sql_error& error) {
    if (transaction_) transaction_->waits_for = nullptr;
    waits_for_ = nullptr;
    const bool simple = running_->simple;
    tell(error.sqlstate + " " + error.message);
    running_.reset();
    fail(error);
    skipping_ = !simple;
    if (!simple) return;
    script_.clear();
    end_of_script();
  }
}

void connection::cancel() {
  if (!running_ || waits_for_ == nullptr) return;
  cancelled_ = true;
}

void connection::run_command(const statement& what) {
  const bool needs_block =
      what.what == verb::savepoint || what.what == verb::release || what.what == verb::rollback_to;
  if (needs_block && !block_) throw sql_error{"25P01", "it can only be used in transaction blocks"};
  const sql_error no_savepoint{"3B001", "savepoint does not exist"};
  switch (what.what) {
    case verb::empty:
      output_.append(backend::empty_query_response_frame);
      return;
    case verb::begin:
      if (!transaction_) transaction_ = std::make_unique<transaction>(of_);
      block_ = true;
      return complete("BEGIN");
    case verb::commit: {
      const bool committing = !failed_;
      end_transaction(committing);
      return complete(committing ? "COMMIT" : "ROLLBACK");
    }
    case verb::rollback:
      end_transaction(false);
      return complete("ROLLBACK");
    case verb::savepoint:
      transaction_->savepoint(what.savepoint);
      return complete("SAVEPOINT");
    case verb::release:
      if (!transaction_->release(what.savepoint)) throw no_savepoint;
      return complete("RELEASE");
    case verb::rollback_to:
      if (!transaction_->roll_back_to(what.savepoint)) throw no_savepoint;
      failed_ = false;
      return complete("ROLLBACK");
    default:
      throw sql_error{"XX000", "the model cannot run this"};
  }
}

void connection::end_transaction(bool committing) {
  if (transaction_ && committing && transaction_->commit()) ++write_commits_;
  transaction_.reset();
  portals_.clear();
  block_ = false;
  failed_ = false;
}

surroundings connection::columns_of(std::int64_t id, const std::optional<wallet>& what) const {
  surroundings made;
  made.give("id", id * 100);
  made.give("user_id", what ? value{what->user_id * 100} : value{});
  made.give("balance", what ? value{what->balance} : value{});
  made.give("pgteller_now", true);  // that it is not null is all that counts
  return made;
}

bool connection::matches(const portal& of, std::int64_t id, const std::optional<wallet>& what) const {
  if (!what) return false;
  return !of.what->where || is_true(evaluate(*of.what->where, columns_of(id, what), of.parameters));
}

std::vector<std::string> connection::result_of(const statement& of, std::int64_t id,
                                               const wallet& what) const {
  std::vector<std::string> made;
  for (const std::string& column : of.columns) {
    if (column == "balance") {
      made.push_back(number_text(what.balance, decimals_));
    } else {
      made.push_back(std::to_string(column == "id" ? id : what.user_id));
    }
  }
  return made;
}

/// The statement's snapshot: which rows it will visit, and what a read without locks returns.
void connection::scan(portal& into) {
  if (!transaction_) transaction_ = std::make_unique<transaction>(of_);
  into.scanned = true;
  for (const auto& [id, which] : of_.rows()) {
    const auto& seen = transaction_->sees(which);
    if (!matches(into, id, seen)) continue;
    into.candidates.push_back(id);
    if (into.what->what == verb::select && !into.what->locks)
      into.result.push_back(result_of(*into.what, id, *seen));
  }
}

/// False: it waits for a row.
bool connection::run_on_rows() {
  portal& run = running_->run;
  if (!run.scanned) scan(run);
  if (!transaction_) throw sql_error{"XX000", "a portal has outlived its transaction"};
  const bool locks = run.what->what != verb::select || run.what->locks;
  for (; locks && running_->next < run.candidates.size(); ++running_->next) {
    const std::int64_t id = run.candidates[running_->next];
    if (!transaction_->lock(id)) {
      waits_for_ = &of_.rows().at(id);
      transaction_->waits_for = waits_for_;
      tell("waits for " + std::to_string(id));
      return false;
    }
    transaction_->waits_for = nullptr;
    visit(id);
  }
  complete_rows();
  return true;
}

/// The row is locked: its newest version counts, if it still is one of those that the statement means.
void connection::visit(std::int64_t id) {
  portal& run = running_->run;
  const std::optional<wallet> newest = of_.rows().at(id).current;
  if (!matches(run, id, newest)) return;
  const surroundings columns = columns_of(id, newest);
  ++running_->written;
  switch (run.what->what) {
    case verb::select:
      run.result.push_back(result_of(*run.what, id, *newest));
      return;
    case verb::update: {
      const value assigned = evaluate(run.what->assigned, columns, run.parameters);
      if (std::holds_alternative<std::monostate>(assigned)) throw sql_error{"23502", "a balance is null"};
      const auto* text = std::get_if<std::string>(&assigned);
      wallet changed = *newest;
      changed.balance = text != nullptr ? hundredths_of(*text) : std::get<std::int64_t>(assigned);
      return transaction_->write(id, changed);
    }
    case verb::remove:
      return transaction_->write(id, std::nullopt);
    default:
      break;
  }
  surroundings yielded;
  for (const auto& [name, what] : run.what->yields)
    yielded.give(name, evaluate(what, columns, run.parameters));
  count_row(yielded);
}

void connection::count_row(const surroundings& of) {
  running_->any = true;
  const value counted = evaluate(running_->run.what->counted, of, running_->run.parameters);
  const bool null = std::holds_alternative<std::monostate>(counted);
  if (!null || running_->run.what->counts_nulls) ++running_->count;
}

void connection::complete_rows() {
  const portal& run = running_->run;
  const statement& what = *run.what;
  std::vector<std::vector<std::string>> result = run.result;
  if (what.what == verb::prelude) {
    if (!running_->any && what.outer) {
      surroundings nothing;
      for (const auto& [name, yielded] : what.yields) nothing.give_null(name);
      count_row(nothing);
    }
    result.push_back({});
    if (what.timed) result.back().emplace_back("0");
    result.back().push_back(std::to_string(running_->count));
  }
  if (what.what == verb::update) return complete("UPDATE " + std::to_string(running_->written));
  if (what.what == verb::remove) return complete("DELETE " + std::to_string(running_->written));
  if (running_->simple) describe_rows(what);
  for (const auto& each : result) {
    const std::vector<std::optional<std::string_view>> values(each.begin(), each.end());
    must(backend::encode_data_row(values, output_));
  }
  complete("SELECT " + std::to_string(result.size()));
}

void connection::complete(std::string_view command_tag) {
  must(backend::encode_command_complete(command_tag, output_));
  tell(command_tag);
}

/// A line of the story: hidden text shortened to what differs.
void connection::tell(std::string_view outcome) {
  if (!of_.tells) return;
  const portal& run = running_->run;
  std::string text = run.what->text;
  if (run.what->what == verb::prelude) {
    text.erase(0, text.find("pg_catalog.count("));
    text.erase(std::min(text.find("WHEN NOT (CASE"), text.size()));
    text.erase(std::min(text.find("\nFROM ("), text.size()));
    text.insert(0, "(hidden) ");
  }
  const std::size_t ours = text.find("(SELECT CASE");
  if (ours != std::string::npos) text.replace(ours, text.find("FROM (SELECT") - ours, "…");
  for (const auto& each : run.parameters) text += " <" + each.value_or("NULL") + ">";
  text += " = " + std::string(outcome);
  for (const auto& each : run.result) {
    for (const std::string& one : each) text += " " + one;
  }
  text += " |";
  for (const auto& [id, each] : of_.rows()) {
    const auto& now = each.holder != nullptr ? each.current : each.committed;
    text += " " + (now ? number_text(now->balance, decimals_) : "gone") + (each.holder != nullptr ? "*" : "");
  }
  of_.tell("connection " + std::to_string(id_) + ": " + text);
}

/// Whoever it waits for waits, through others perhaps, for this transaction.
bool connection::is_deadlocked() const {
  const row* next = waits_for_;
  for (int steps = 0; next != nullptr && next->holder != nullptr && steps < 100; ++steps) {
    if (next->holder == transaction_.get()) return true;
    next = next->holder->waits_for;
  }
  return false;
}

std::optional<time_point> connection::deadline() const {
  if (!running_ || waits_for_ == nullptr || running_->run.what->lock_timeout.count() == 0)
    return std::nullopt;
  return running_->since + running_->run.what->lock_timeout;
}

bool connection::is_late(time_point now) const {
  const auto until = deadline();
  return cancelled_ || (until && now >= *until);
}

}  // namespace money
