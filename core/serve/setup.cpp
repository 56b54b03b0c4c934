#include "serve/setup.hpp"

#include <algorithm>
#include <utility>

namespace tftpkit::serve {

namespace {

transfer::RetryPolicy retry_policy(const config::RetryConfig& config) {
  transfer::RetryPolicy policy;
  policy.initial = config.initial;
  policy.min = config.min;
  policy.max = config.max;
  policy.max_silence = config.silence;
  policy.max_tries = static_cast<std::uint16_t>(std::min(config.tries, 65535U));
  return policy;
}

transfer::Limits protocol_limits(const config::ProtocolConfig& config) {
  transfer::Limits limits;
  limits.blksize_max = config.blksize_max;
  limits.windowsize_max = config.windowsize_max;
  limits.rollover = config.rollover;
  return limits;
}

std::optional<Filter> trace_filter(const std::optional<config::TraceConfig>& trace) {
  if (!trace) return std::nullopt;
  return Filter{trace->paths, trace->clients};
}

Candidates served_by(const std::vector<RunningInstance>& running) {
  Candidates all;
  for (const auto& instance : running)
    all.push_back(instance.served);
  return all;
}

}  // namespace

Terms::Terms(config::Config settings)
    : config{std::move(settings)}, access{config.access}, trace{trace_filter(config.trace)},
      protocol{protocol_limits(config.protocol)}, retry{retry_policy(config.retry)} {}

Setup::Setup(config::Config settings, Ingredients parts)
    : Ingredients{std::move(parts)}, terms{std::make_shared<Terms>(std::move(settings))},
      routes{config().routes, served_by(instances)} {}

AdmissionLimits admission_limits(const config::LimitsConfig& limits) {
  AdmissionLimits all{limits.transfers, static_cast<std::size_t>(limits.buffer_memory_bytes), {}};
  all.client = {limits.transfers_per_client, static_cast<double>(limits.requests_per_second_per_client),
                static_cast<double>(limits.request_burst_per_client)};
  for (const auto& rule : limits.per_network)
    all.networks.push_back({rule.prefix_v4,
                            rule.prefix_v6,
                            {rule.transfers, static_cast<double>(rule.requests_per_second),
                             static_cast<double>(rule.request_burst)}});
  return all;
}

}  // namespace tftpkit::serve
