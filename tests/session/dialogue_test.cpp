// Plays every dialogue in tests/session/dialogues: whole, byte by byte, cut at every offset, and with either
// peer gone after each line. REWRITE=1 in the environment writes the files anew; the diff is the review.
#include "tests/session/dialogue.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace {

std::vector<std::string> files() {
  std::vector<std::string> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(PGTELLER_SOURCE_DIR "/tests/session/dialogues")) {
    if (entry.path().extension() == ".txt") found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

class dialogues : public testing::TestWithParam<std::string> {
 protected:
  stage::dialogue dialogue_ = stage::read_dialogue(GetParam());
};

TEST_P(dialogues, is_played_whole) {
  if (std::getenv("REWRITE") != nullptr) {
    const std::string text = stage::rewritten(dialogue_);
    std::ofstream(GetParam()) << text;
    dialogue_ = stage::read_dialogue(GetParam());
  }
  EXPECT_EQ(stage::play_whole(dialogue_), "");
}

TEST_P(dialogues, is_played_byte_by_byte) {
  EXPECT_EQ(stage::play_byte_by_byte(dialogue_), "");
}

TEST_P(dialogues, is_cut_at_every_offset) {
  std::string difference;
  std::size_t offset = 0;
  while (stage::play_cut(dialogue_, offset, difference)) ++offset;
  EXPECT_EQ(difference, "");
}

TEST_P(dialogues, ends_when_a_peer_vanishes_at_any_line) {
  for (std::size_t count = 0; count <= dialogue_.lines.size(); ++count) {
    for (const bool client : {true, false}) {
      EXPECT_EQ(stage::play_vanishing(dialogue_, count, client), "") << "after " << count << " inputs";
    }
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  return std::filesystem::path(info.param).stem().string();
}

INSTANTIATE_TEST_SUITE_P(all, dialogues, testing::ValuesIn(files()), test_name);

}  // namespace
