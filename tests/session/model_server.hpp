// A model of how PostgreSQL answers the simple and extended protocols: transaction states, skipping to Sync,
// names of statements and portals, failing statements. It knows no SQL beyond a few first words.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/framer.hpp"

namespace stage {

/// Takes the bytes that a client (or the proxy) sends and appends the answers to output(). A statement that
/// contains "nosuch" fails when it is parsed; one that contains "division" fails when it is run; a write or
/// hidden statement that contains "1000" breaks a bound; COPY reads data until it is ended. What cannot be
/// decoded fails.
class model_server {
 public:
  model_server();

  void receive(std::string_view bytes);
  [[nodiscard]] std::string take_output() { return std::exchange(output_, {}); }
  /// Statements run so far, hidden ones left out, in order: "UPDATE ..." and so on.
  [[nodiscard]] const std::vector<std::string>& ran() const { return ran_; }
  /// Locks that hidden statements took inside a transaction block, by the statement that follows.
  [[nodiscard]] std::size_t hidden_run() const { return hidden_run_; }
  [[nodiscard]] std::size_t names() const { return statements_.size(); }

 private:
  void take(const protocol::frame_view& from);
  void parse(std::string_view body);
  void bind(std::string_view body);
  void describe(std::string_view body);
  void execute(std::string_view body);
  void close(std::string_view body);
  void query(std::string_view body);
  void sync();
  void in_copy(const protocol::frame_view& from);
  void end_copy(bool failed);
  /// Runs what is left of a simple query, up to a COPY, and its end.
  void run_rest();
  /// False if the statement failed; the error has been sent.
  bool run(const std::string& sql);
  void fail(std::string_view sqlstate, std::string_view message);
  void refuse_format();
  void ready();

  protocol::framer framer_;
  std::string output_;
  std::map<std::string, std::string, std::less<>> statements_;
  std::map<std::string, std::string, std::less<>> portals_;
  std::vector<std::string> ran_;
  std::vector<std::string> rest_;  // of a simple query: what is to run behind the COPY
  bool in_query_ = false;          // the COPY is of a simple query
  bool copying_ = false;
  std::size_t hidden_run_ = 0;
  char status_ = 'I';
  bool skipping_ = false;
};

}  // namespace stage
