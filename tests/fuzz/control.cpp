// What comes through the control socket, from both ends, and the note of crashed plugins: whoever may write
// there belongs to the server's user, and yet may be torn, old, or not ours.
// Input: one byte for the size of pieces, then what a client says, what a server answers, and a note, with
// "%%" on a line between.
#include "host/crashes.hpp"
#include "input.hpp"
#include "serve/commands.hpp"

#include <algorithm>
#include <sstream>
#include <string>

namespace {

using namespace tftpkit;
using fuzz::claim;
using serve::CommandLine;

CommandLine line_of(std::string_view said, std::size_t piece) {
  CommandLine line;
  for (; !said.empty() && line.state() == CommandLine::State::open;
       said.remove_prefix(std::min(piece, said.size())))
    line.take(said.substr(0, piece));
  return line;
}

void check_line(std::string_view said, std::size_t piece) {
  using State = CommandLine::State;
  const auto line = line_of(said, piece);
  const auto end = said.find('\n');
  const bool fits = std::min(end, said.size()) <= CommandLine::longest;
  claim(line.text().size() <= CommandLine::longest, "what is kept of a client has a bound");
  claim((line.state() == State::too_long) == !fits, "a line is too long, or it is not");
  if (!fits) return;
  claim(line.text() == said.substr(0, end), "pieces make no difference to a line");
  claim((line.state() == State::whole) == (end != std::string_view::npos), "a line is whole with its end");
}

void check_written(const serve::CommandAnswer& answer) {
  const auto written = serve::text(answer);
  std::size_t lines = 0;
  for (std::string_view rest = written; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1), ++lines)
    claim(fuzz::is_plain_line(rest.substr(0, rest.find('\n'))), "an answer is plain lines");
  claim(lines == answer.rows.size() + 1, "an answer has a line for each row, and one before");
  const auto read = serve::answer_from(written);
  claim(read && read->ok == answer.ok && serve::text(*read) == written, "what a server answers can be read");
}

void check_command(std::string_view line) {
  if (const auto command = serve::command_from(line)) {
    claim(serve::word(*command) == line, "a command is the word that was said");
    return;
  }
  const auto answer = serve::answer_of({serve::no_command(line)});
  claim(!answer.ok && answer.rows.size() == 1, "what is no command is told");
  check_written(answer);
}

std::size_t lines_in(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n')) + (text.ends_with('\n') ? 0U : 1U);
}

void check_note(const std::string& note) {
  std::istringstream lines(note);
  const auto crashes = host::crashes_in(lines);
  claim(crashes.size() <= lines_in(note), "a line notes one crash");
  for (const auto& crash : crashes) {
    const auto same = [&](const auto& other) { return other.plugin == crash.plugin; };
    const auto reason = host::quarantine_reason(crashes, crash.plugin);
    claim(reason.has_value() == (std::ranges::count_if(crashes, same) > 1),
          "who crashed the server twice stays out");
    if (reason && fuzz::is_plain_line(crash.plugin))
      claim(fuzz::is_plain_line(*reason), "the reason is one plain line");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto parts = fuzz::parts_of(fuzz::text_of(data + 1, size - 1), 3);
  check_line(parts[0], data[0] % 64 + std::size_t{1});
  check_command(parts[0].substr(0, parts[0].find('\n')));
  if (const auto answer = serve::answer_from(parts[1])) {
    claim(answer->rows.size() + 1 == lines_in(parts[1]), "each line of an answer is read");
    check_written(*answer);
  }
  check_note(std::string(parts[2]));
  return 0;
}
