"""The code that runs in Lambda: a multi-tenant event inbox that acts only as its own role."""

import gc

# Here, because it has to stand before the first import of the SDK. Start-up makes some 60,000 objects that nearly all
# stay, and the collector's usual threshold has it look through them 120 times: a tenth of a cold start (docs/benchmarks.md).
gc.set_threshold(50_000, 10, 10)
