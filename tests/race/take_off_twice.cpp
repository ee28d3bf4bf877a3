// The last item on a shelf, two workers: each sees it, deletes it and hands it out. The second DELETE finds
// no row, which no ORM takes for an error. Two operations in a row go for the same item.
#include "tests/race/scenario.hpp"

namespace race {

attempt play_take_off_twice(worker& by, std::int64_t operation) {
  const std::int64_t item_id = operation / 2;
  unit_of_work work = by.start();
  work.begin();
  const reply found = work.run(read_item(work.how(), item_id));
  if (!work.ok() || found.rows() == 0) return work.decline();
  by.think();
  work.run(delete_item(work.how(), item_id));
  work.run(enter_item(work.how(), operation, item_id));
  return work.finish({});
}

}  // namespace race
