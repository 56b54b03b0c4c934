// The hidden mode of the tftpkit binary on its own: `describe --tftpkit-describe FILE`.
#include "host/scan.hpp"

#include <cstring>

int main(int count, char** arguments) {
  if (count != 3 || std::strcmp(arguments[1], tftpkit::host::describe_argument) != 0) return 64;
  tftpkit::host::describe_child(arguments[2]);
}
