// What the operator typed, as one value: a subcommand with its options, or a usage error.
// Only reads words; runs nothing and opens no file.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/ops/check_command.hpp"
#include "proxy/ops/explain_command.hpp"

namespace proxy::ops {

struct serve_options {
  std::string config;
};

struct version_options {};

struct help_options {};

struct usage_error {
  std::string message;
};

using command =
    std::variant<usage_error, help_options, version_options, serve_options, check_options, explain_options>;

/// `words` without the program's name. Options may stand before or after an operand; `--` ends them; `--name
/// VALUE` and `--name=VALUE` are the same.
[[nodiscard]] command parse_command_line(const std::vector<std::string>& words);

/// What `--help` prints.
[[nodiscard]] std::string_view usage() noexcept;

/// "pgteller 0.1.0"
[[nodiscard]] std::string_view version_text() noexcept;

}  // namespace proxy::ops
