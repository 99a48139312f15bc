package dev.lmm.cli;

import picocli.CommandLine;
import picocli.CommandLine.IFactory;

/** Gives every command the place its results go to. */
record Commands(Output output) implements IFactory {
  @Override
  public <K> K create(Class<K> type) throws Exception {
    K made = CommandLine.defaultFactory().create(type);
    if (made instanceof OutputCommand command) {
      command.output = output;
    }
    return made;
  }
}
