/** Examples: an application that uses lmm on the module path. */
module dev.lmm.examples {
  requires dev.lmm.api;
  requires static org.jspecify;
}
