// The templates of an operator: every *.tmpl below a directory, read and checked when the rules are, so that
// answers are made from memory. Values are escaped for what the text is.
#pragma once

#include "firmware/question.hpp"
#include "kit/template.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::firmware {

// What keeps a value one value. By the name of the template ("*.xml.tmpl", "*.htm.tmpl": xml;
// "cmdline.txt.tmpl": word; else line), or by a note in its first line: {{! syntax: word }}
enum class Syntax {
  xml,   // & < > " ' become entities; control characters are left out
  line,  // "name = value": control characters are left out
  word,  // an argument between spaces: only letters, digits and ._:/@%+,=- stay
};

[[nodiscard]] std::string escaped_xml(const std::string& text);
[[nodiscard]] std::string escaped_line(const std::string& text);
[[nodiscard]] std::string escaped_word(const std::string& text);
[[nodiscard]] Syntax syntax_of(std::string_view name, std::string_view text);

class Templates {
 public:
  // `names` may be used in them. Mistakes go to `problems`; `looked_at` gets the directories that were read.
  [[nodiscard]] static Templates from_directory(const std::filesystem::path& directory,
                                                const std::vector<std::string>& names,
                                                config::Problems& problems,
                                                std::vector<std::filesystem::path>& looked_at);

  [[nodiscard]] bool has(const std::string& name) const { return templates_.contains(name); }
  [[nodiscard]] std::string rendered(const std::string& name, const Values& values) const;
  [[nodiscard]] std::size_t size() const noexcept { return templates_.size(); }

 private:
  std::map<std::string, kit::Template> templates_;  // by the path below the directory
};

}  // namespace tftpkit::firmware
