#include "serve/changes.hpp"

#include <utility>

namespace tftpkit::serve {

Changes::Changes(loop::Loop& loop, Build build, OnBuilt on_built)
    : loop_{loop}, build_{std::move(build)}, on_built_{std::move(on_built)} {}

void Changes::ask(Wish wish) {
  more_ = true;
  next_.reread = next_.reread || wish.reread;
  next_.look_again = next_.look_again || wish.look_again;
  for (auto& tell : wish.tell)
    next_.tell.push_back(std::move(tell));
  if (!building_) begin();
}

void Changes::begin() {
  more_ = false;
  auto wish = std::make_shared<Wish>(std::exchange(next_, {}));
  building_ = lane_.submit([this, wish] {
    auto built = std::make_shared<Built>(build_(*wish));
    loop_.post([this, wish, built] {
      building_ = false;
      on_built_(*wish, *built);
      if (more_ && !building_) begin();
    });
  });
}

// The closure may hold an instance's last holder, so no copy of it may stay here.
void Changes::end(std::function<void()> ending) {
  const auto only = std::make_shared<std::function<void()>>(std::move(ending));
  const auto run = [only] { std::exchange(*only, nullptr)(); };
  if (!lane_.submit(run)) loop_.post(run);
}

loop::Executor::Shutdown Changes::shutdown(std::chrono::milliseconds patience) {
  return thread_.shutdown(patience);
}

}  // namespace tftpkit::serve
