package dev.lmm.core.decode;

/** Why an answer ended. */
public enum FinishReason {
  /** The model wrote one of its end tokens. */
  END,
  /** A stop string was written. */
  STOP,
  /** As many tokens as allowed were written. */
  LENGTH,
  /** The grammar allows nothing more. */
  GRAMMAR,
  /** It has not: it was stopped or left before its end. */
  UNFINISHED
}
