// Text of the inventory with the machine's values in it: "http://{{server}}/{{name}}.ks". What comes out is
// raw: whoever puts it into a menu escapes it as a whole.
#pragma once

#include "kit/template.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tftpkit::pxe {

// What can stand between {{ and }}, here and in the templates.
[[nodiscard]] const std::vector<std::string>& value_names();

class Pattern {
 public:
  Pattern() = default;
  // What is wrong goes to the report, at `pointer`.
  Pattern(const std::string& text, const std::string& pointer, config::Report& report);

  [[nodiscard]] std::string filled(const kit::Values& values) const {
    return template_ ? template_->rendered(values) : text_;
  }
  // As it was written.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

 private:
  std::string text_;
  std::shared_ptr<const kit::Template> template_;  // none: the text says it all
};

}  // namespace tftpkit::pxe
