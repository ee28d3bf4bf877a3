// An application that plays units of work over connections that it is given, tries them again where it may,
// and knows what it was told. It refuses to know whether a proxy stands between.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/framer.hpp"
#include "tests/session/money/unit.hpp"

namespace money {

struct effect {
  std::int64_t row = 0;
  std::int64_t delta = 0;
};
using effects = std::vector<effect>;

/// What clients were told, all together.
struct ledger {
  std::map<std::int64_t, std::int64_t>
      deltas;                         // by row: of units that were acknowledged, or found to be done
  std::map<std::int64_t, int> taken;  // by item: how many were told that they have it
  std::map<std::string, std::uint64_t> errors;  // by SQLSTATE
  std::uint64_t done = 0;
  std::uint64_t given_up = 0;  // the balance did not suffice, or the bound refused

  void add(const effects& done_now);
};

/// How a client speaks.
struct manner {
  bool extended = false;
  bool named = false;  // extended: prepares under names and uses them again
  bool trusts_last = false;
  int decimals = 2;
  std::string traces;  // what makes its traces its own; empty: it says none
};

class client {
 public:
  client(manner how, std::vector<unit> units, const estate& of, ledger& book, dice& random);

  [[nodiscard]] bool finished() const { return next_ == units_.size() && !awaits_ && status_ == 'I'; }
  [[nodiscard]] bool awaits() const { return awaits_; }
  /// It may use another connection now.
  [[nodiscard]] bool is_between() const {
    return !awaits_ && status_ == 'I' && !greeted_ && framer_.held() == 0;
  }
  /// What it does next rests on nothing that it has read.
  [[nodiscard]] bool begins_anew() const {
    return next_ == units_.size() || at_ == 0 || at_ == units_[next_].steps.size();
  }
  [[nodiscard]] int tries() const { return tries_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] std::string doing() const;

  /// The bytes of what it does next; empty: it has finished.
  [[nodiscard]] std::string next_bytes();
  /// Acknowledged transactions that wrote something are counted in `acknowledged`. True: there was an error.
  bool hear(std::string_view bytes, std::uint64_t& acknowledged);
  /// It stops working at the unit; in a transaction it will roll back.
  void lose_interest();
  /// Its connection is gone. Returns what may have been committed without its knowing.
  [[nodiscard]] effects lose_connection();
  /// Nothing more is begun.
  void stop() { units_.resize(next_); }

 private:
  struct answer {
    std::string command_tag;
    std::vector<std::vector<std::string>> rows;
  };

  void take(const protocol::frame_view& from, std::uint64_t& acknowledged);
  void begin_try();
  void end_unit();
  void fail();
  void give_up();
  [[nodiscard]] bool gather_flight();
  void acknowledge(std::uint64_t& acknowledged);
  void finish_flight(std::uint64_t& acknowledged);
  void learn(const step& of, const answer& got);
  void note_effect(const step& of, const answer& got);
  [[nodiscard]] bool cannot_go_on(const step& next) const;
  [[nodiscard]] std::int64_t believed(std::int64_t row) const;
  [[nodiscard]] std::string sql_of(const step& what, std::vector<std::string>& parameters);
  [[nodiscard]] std::string in_simple(const std::vector<step>& flight);
  [[nodiscard]] std::string in_extended(const std::vector<step>& flight);
  void add_extended(const step& what, std::string& bytes);

  manner how_;
  std::vector<unit> units_;
  const estate& of_;
  ledger& book_;
  dice& random_;
  protocol::framer framer_;

  std::size_t next_ = 0;  // unit
  std::size_t at_ = 0;    // step of it
  int tries_ = 0;
  int traced_ = 0;
  bool rolls_back_ = false;
  bool gives_up_ = false;  // after rolling back the unit is not tried again
  char status_ = 'I';
  std::string trouble_;

  std::vector<step> flight_;
  bool awaits_ = false;
  bool greeted_ = false;  // the next ReadyForQuery answers nothing
  std::string error_;     // of the flight
  std::vector<answer> answers_;
  answer answer_;
  std::map<std::string, std::string> prepared_;  // SQL to name
  std::map<std::string, std::string> being_prepared_;
  int names_ = 0;

  std::map<std::int64_t, std::int64_t> read_;         // by row
  std::map<std::int64_t, std::int64_t> moved_;        // by own writes since
  std::map<std::int64_t, std::int64_t> saved_moved_;  // at the savepoint
  effects pending_;                                   // of this transaction
  std::size_t saved_pending_ = 0;
  std::vector<std::int64_t> takes_;  // items that the pending transaction has taken off
};

}  // namespace money
