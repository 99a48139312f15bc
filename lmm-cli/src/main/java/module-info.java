/** The command line {@code lmm}. */
module dev.lmm.cli {
  requires dev.lmm.api;
  requires dev.lmm.core;
  requires dev.lmm.search;
  requires dev.lmm.tiny;
  requires info.picocli;
  requires java.desktop;
  requires java.logging;
  requires static org.jspecify;

  // picocli fills annotated fields.
  opens dev.lmm.cli to
      info.picocli;
}
