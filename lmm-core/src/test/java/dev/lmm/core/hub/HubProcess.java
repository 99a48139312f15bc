package dev.lmm.core.hub;

/** Resolves an id in a process of its own, as the environment says. */
final class HubProcess {
  private HubProcess() {}

  public static void main(String[] arguments) {
    System.out.println(Hub.resolve(arguments[0], HubOptions.fromEnvironment()));
  }
}
