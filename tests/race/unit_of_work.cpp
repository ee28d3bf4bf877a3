#include "tests/race/unit_of_work.hpp"

#include <utility>

namespace race {

void unit_of_work::begin() {
  if (transaction_) return;
  run(race::begin());
  transaction_ = true;
}

reply unit_of_work::run(const statement& one) {
  if (ended_) return reply();
  reply came = link_->run(how_, trace_.empty() ? one : traced(one, trace_));
  note(came, one);
  return came;
}

void unit_of_work::note(const reply& came, const statement& one) {
  if (came.ok()) return;
  ended_ = true;
  result_.sqlstate = came.sqlstate();
  const bool commits = !transaction_ || one.name == race::commit().name;
  const bool lost = result_.sqlstate.empty();
  // With a last word or without, a connection that is gone leaves the commit in doubt.
  const bool in_doubt = !link_->is_open() || result_.sqlstate == "08007";
  const bool open_end = commits && one.writes && in_doubt;
  result_.verdict = open_end ? verdict::unknown : verdict::failed;
  if (lost) result_.sqlstate = "lost";
}

void unit_of_work::move_to(connection& link) {
  if (!transaction_) link_ = &link;
}

std::optional<wallet> unit_of_work::read(std::int64_t wallet_id, found_by by) {
  if (locking_) begin();
  const reply came = run(read_wallet(how_, wallet_id, by, locking_));
  if (ended_ || came.rows() != 1) return std::nullopt;
  return wallet{std::stoll(came.text(0, 0)), std::stoll(came.text(0, 1)), came.text(0, 2),
                to_cents(came.text(0, 3))};
}

bool unit_of_work::sees_item(std::int64_t item_id) {
  if (locking_) begin();
  const reply came = run(read_item(how_, item_id, locking_));
  return !ended_ && came.rows() > 0;
}

void unit_of_work::move(std::int64_t wallet_id, cents amount) {
  const reply came = run(move_wallet(how_, wallet_id, amount));
  if (!ended_ && came.rows() == 1 && to_cents(came.text(0, 0)) < 0) result_.overdrawn = true;
}

attempt unit_of_work::finish(std::vector<entry> entries) {
  if (transaction_ && !ended_) {
    const reply came = run(race::commit());
    if (!ended_ && came.tag() != "COMMIT") {  // PostgreSQL answers ROLLBACK where the transaction had failed
      ended_ = true;
      result_.verdict = verdict::failed;
      result_.sqlstate = "25P02";
    }
  }
  if (result_.verdict == verdict::failed) {
    roll_back();
  } else {
    result_.entries = std::move(entries);
  }
  return std::move(result_);
}

attempt unit_of_work::decline() {
  if (ended_) return finish({});
  roll_back();
  result_.verdict = verdict::declined;
  return std::move(result_);
}

void unit_of_work::roll_back() {
  if (link_->in_transaction()) link_->run("ROLLBACK");
}

}  // namespace race
