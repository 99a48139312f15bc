package dev.lmm.core.hub;

import dev.lmm.ModelNotFoundException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a model on a hub.
 *
 * @param repository {@code owner/name}, or {@code name} for the few models without an owner
 * @param revision a branch, a tag or a commit
 */
public record HubId(String repository, String revision) {
  private static final String NAME = "[A-Za-z0-9_][A-Za-z0-9._-]{0,95}";
  private static final Pattern ID =
      Pattern.compile("((?:" + NAME + "/)?" + NAME + ")(?:@([A-Za-z0-9][A-Za-z0-9._/-]{0,199}))?");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /**
   * Whether a text has the form of an id with an owner.
   *
   * @param text any text
   * @return true for {@code owner/name} and {@code owner/name@revision}
   */
  public static boolean looksLike(String text) {
    int at = text.indexOf('@');
    return (at < 0 ? text : text.substring(0, at)).contains("/") && valid(text);
  }

  private static boolean valid(String text) {
    Matcher matcher = ID.matcher(text);
    // A repository becomes one folder name with "--" for "/"; a revision becomes a path.
    return matcher.matches()
        && !matcher.group(1).contains("--")
        && !text.contains("..")
        && !text.contains("//")
        && !text.endsWith("/")
        && !text.endsWith(".");
  }

  /**
   * Takes an id apart.
   *
   * @param text {@code owner/name} or {@code owner/name@revision}; the revision is {@code main} by
   *     default
   * @return its parts
   * @throws ModelNotFoundException if it is no id
   */
  public static HubId parse(String text) {
    Matcher matcher = ID.matcher(text);
    if (!valid(text) || !matcher.matches()) {
      throw new ModelNotFoundException(
          "\""
              + text
              + "\" is no hub id; expected owner/name or owner/name@revision, of letters, digits,"
              + " '-', '_' and '.'");
    }
    return new HubId(matcher.group(1), matcher.group(2) == null ? "main" : matcher.group(2));
  }

  /**
   * Whether the revision names one commit for good.
   *
   * @return true for 40 hexadecimal digits
   */
  boolean isCommit() {
    return isCommit(revision);
  }

  static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  @Override
  public String toString() {
    return revision.equals("main") ? repository : repository + "@" + revision;
  }
}
