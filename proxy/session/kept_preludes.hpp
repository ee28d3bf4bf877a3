// Hidden statements that stay prepared on the server beside the client's own prepared statement that they
// guard: which text has which name, and which names are to be freed. Refuses to know messages and SQL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/flat_queue.hpp"

namespace proxy::session {

/// Names of these are this and a number.
inline constexpr char kept_prelude_prefix[] = "_pgteller_p";

struct kept_prelude {
  explicit kept_prelude(std::string_view sql) : text{sql} {}

  std::string text;
  std::vector<std::uint32_t> types;  // of its parameters, as in its Parse
  std::string name;                  // empty: it has run, and has none yet
  std::uint64_t prepared_in = 0;     // batch of its Parse
  bool prepared = false;             // its ParseComplete has come
  std::uint64_t trusted_since = 0;   // prelude_names::losses() when it got its name
};

/// The names of one session.
class prelude_names {
 public:
  /// None: there are as many as may be.
  [[nodiscard]] std::optional<std::string> take();
  /// Nobody binds it any more.
  void free(std::string name);
  /// Names to be closed, a few at a time: their Closes are sent now.
  [[nodiscard]] std::vector<std::string> take_freed();
  /// Its Parse is sent now.
  void expect(std::shared_ptr<kept_prelude> parse) { in_flight_.push_back({std::move(parse), {}}); }
  /// A Parse or a Close in flight has been answered, or dropped. `place`: how many older ones are still owed.
  void settle(bool confirmed, std::size_t place);
  /// It could not be sent.
  void settle_newest() { settle(false, in_flight_.size() - 1); }

  /// What is on its way, or is prepared (`again`), may free names or give them to something else: none of
  /// those that there are is bound any more, or none ever.
  void lose(bool again) noexcept {
    ++losses_;
    shut_ = shut_ || again;
  }
  [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }
  [[nodiscard]] bool is_shut() const noexcept { return shut_; }
  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

 private:
  struct change {
    std::shared_ptr<kept_prelude> parse;  // null: a Close
    std::string freed;
  };
  std::size_t in_use_ = 0;
  std::uint64_t losses_ = 0;
  bool shut_ = false;
  std::uint64_t last_ = 0;  // names are not used again: an old one may still be there
  std::vector<std::string> freed_;
  flat_queue<change> in_flight_;
};

/// Those of one of the client's statements, of one Parse: their names go when it does, or is analysed anew.
class kept_preludes {
 public:
  using batch = std::uint64_t;

  kept_preludes() = default;
  kept_preludes(const kept_preludes&) = delete;
  kept_preludes& operator=(const kept_preludes&) = delete;
  ~kept_preludes() { forget(); }

  struct answer {
    std::shared_ptr<kept_prelude> what;  // null: it is to travel without a name of its own
    bool parse = false;                  // its Parse goes before it
  };
  /// What runs the text in batch `at`. From its second run on it has a name; while it is not certain that the
  /// name is there, it has none.
  [[nodiscard]] answer find(std::string_view text, const std::vector<std::uint32_t>& types,
                            const std::shared_ptr<prelude_names>& names, batch at);
  void forget();

 private:
  void free(kept_prelude& of);

  std::shared_ptr<prelude_names> names_;
  std::vector<std::shared_ptr<kept_prelude>> kept_;  // the one that was used last at the end
};

}  // namespace proxy::session
