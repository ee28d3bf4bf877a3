// A purchase: the application checks that the balance is enough, then lets the database subtract the price.
// No money is lost, but of two at once both pass the check, and the balance falls below zero.
#include "tests/race/scenario.hpp"

namespace race {
namespace {

constexpr cents price = 10'00;
constexpr cents pay_in = 30'00;

}  // namespace

attempt play_check_then_decrement(worker& by, std::int64_t) {
  const std::int64_t wallet_id = by.pick_wallet();
  unit_of_work work = by.start();
  const std::optional<wallet> found = work.read(wallet_id);
  if (!found) return work.decline();
  by.think();
  if (found->balance >= price) {
    work.move(wallet_id, -price);
    return work.finish({{wallet_id, -price}});
  }
  // Filled up again, or the race would be over in a moment.
  work.move(wallet_id, pay_in);
  return work.finish({{wallet_id, pay_in}});
}

}  // namespace race
