// The last item on a shelf, two workers: each sees it, deletes it and hands it out. The second DELETE finds
// no row, which no ORM takes for an error. Two operations in a row go for the same item.
#include <utility>

#include "tests/race/scenario.hpp"

namespace race {
namespace {

attempt take_off(worker& by, unit_of_work work, std::int64_t operation) {
  const std::int64_t item_id = operation / 2;
  if (!work.sees_item(item_id)) return work.decline();
  by.think();
  work.begin();
  work.run(delete_item(work.how(), item_id));
  work.run(enter_item(work.how(), operation, item_id));
  return work.finish({});
}

}  // namespace

attempt play_take_off_twice(worker& by, std::int64_t operation) {
  unit_of_work work = by.start();
  work.begin();
  return take_off(by, std::move(work), operation);
}

attempt play_take_off_outside(worker& by, std::int64_t operation) {
  return take_off(by, by.start(), operation);
}

}  // namespace race
