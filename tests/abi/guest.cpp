// What an isolated instance runs in: the tests of this folder spawn it as the server spawns itself.
#include "serve/guest.hpp"

#include "isolation/options.hpp"

#include <cstring>

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], tftpkit::isolation::isolated_argument) == 0)
    tftpkit::serve::guest_process();
  return 2;
}
