// The program: reads the command line and runs one of its commands. Exit codes are SPEC.md's: 0 good, 1 a
// check found problems or serving failed, 2 wrong usage or unreadable configuration.
#include <exception>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "proxy/io/server.hpp"
#include "proxy/ops/command_line.hpp"
#include "proxy/ops/settings.hpp"

namespace {

namespace ops = proxy::ops;

int serve(const ops::serve_options& options) {
  const ops::load_result loaded = ops::load_settings(options.config);
  for (const auto& problem : loaded.problems) std::cerr << ops::to_text(problem) << "\n";
  if (!loaded.problems.empty()) return 2;
  return proxy::io::serve(loaded.value, options.config);
}

struct runner {
  int operator()(const ops::usage_error& error) const {
    std::cerr << "pgteller: " << error.message << "\n" << ops::usage();
    return 2;
  }
  int operator()(const ops::help_options&) const {
    std::cout << ops::usage();
    return 0;
  }
  int operator()(const ops::version_options&) const {
    std::cout << ops::version_text() << "\n";
    return 0;
  }
  int operator()(const ops::serve_options& options) const { return serve(options); }
  int operator()(const ops::check_options& options) const {
    return ops::run_check(options, std::cout, std::cerr);
  }
  int operator()(const ops::explain_options& options) const {
    return ops::run_explain(options, std::cout, std::cerr);
  }
};

}  // namespace

int main(int argc, char** argv) {
  try {
    return std::visit(runner{}, ops::parse_command_line({argv + 1, argv + argc}));
  } catch (const std::exception& failure) {
    std::cerr << "pgteller: " << failure.what() << "\n";
    return 1;
  }
}
