#include "proxy/session/kept_preludes.hpp"

#include <algorithm>
#include <utility>

#include "proxy/session/limits.hpp"

namespace proxy::session {

std::optional<std::string> prelude_names::take() {
  if (in_use_ >= limits::kept_preludes) return std::nullopt;
  ++in_use_;
  return kept_prelude_prefix + std::to_string(++last_);
}

void prelude_names::free(std::string name) {
  --in_use_;
  freed_.push_back(std::move(name));
}

std::vector<std::string> prelude_names::take_freed() {
  const std::size_t some = std::min(freed_.size(), limits::closes_at_once);
  const auto first = freed_.end() - static_cast<std::ptrdiff_t>(some);
  std::vector<std::string> taken(std::make_move_iterator(first), std::make_move_iterator(freed_.end()));
  freed_.erase(first, freed_.end());
  for (const std::string& name : taken) in_flight_.push_back({nullptr, name});
  return taken;
}

void prelude_names::settle(bool confirmed, std::size_t place) {
  change& settled = in_flight_[place];
  if (settled.parse) {
    settled.parse->prepared = confirmed && !settled.parse->name.empty();
    // Another Parse would need another name: nobody knows whether this one has been taken.
    if (!confirmed && !settled.parse->name.empty()) free(std::exchange(settled.parse->name, {}));
  } else if (!confirmed) {
    freed_.push_back(std::move(settled.freed));
  }
  in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(place));
}

kept_preludes::answer kept_preludes::find(std::string_view text, const std::vector<std::uint32_t>& types,
                                          const std::shared_ptr<prelude_names>& names, batch at) {
  if (names->is_shut()) return {};
  names_ = names;
  const auto known =
      std::find_if(kept_.begin(), kept_.end(), [text](const auto& each) { return each->text == text; });
  if (known == kept_.end()) {
    if (kept_.size() >= limits::kept_preludes_of_one) {
      free(*kept_.front());
      kept_.erase(kept_.begin());
    }
    kept_.push_back(std::make_shared<kept_prelude>(text));
    return {};
  }
  std::rotate(known, known + 1, kept_.end());
  const auto& found = kept_.back();
  const bool trusted = found->trusted_since == names->losses();
  if (!found->name.empty() && trusted && found->types == types) {
    const bool certain = found->prepared || found->prepared_in == at;
    return certain ? answer{found, false} : answer{};
  }
  // One in flight is left as it is: who settles it must find it so.
  if (!found->name.empty() && !found->prepared) return {};
  free(*found);
  auto name = names->take();
  if (!name) return {};
  found->name = std::move(*name);
  found->types = types;
  found->trusted_since = names->losses();
  found->prepared_in = at;
  return {found, true};
}

void kept_preludes::free(kept_prelude& of) {
  if (!of.name.empty()) names_->free(std::exchange(of.name, {}));
  of.prepared = false;
}

void kept_preludes::forget() {
  for (const auto& each : kept_) free(*each);
  kept_.clear();
}

}  // namespace proxy::session
