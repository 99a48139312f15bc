package dev.lmm;

import java.util.List;

/**
 * Turns of a user and a model. What was read for earlier turns is kept, so that each turn costs
 * only what is new; a picture is looked at once. One answer at a time: another thread's question
 * meanwhile is refused.
 *
 * <p>A turn is added when its answer is whole, or when its stream is closed; a run that fails or is
 * cancelled leaves the conversation as it was.
 */
public interface Conversation extends AutoCloseable {
  /**
   * Something that was said.
   *
   * @param role {@code system}, {@code user} or {@code assistant}
   * @param text the words
   * @param images how many pictures stood before them
   * @param videos how many videos stood before them
   */
  record Turn(String role, String text, int images, int videos) {}

  /**
   * Begins the next question.
   *
   * @param text the question; the names of control tokens in it are plain text
   * @return the request, to be run
   * @throws InvalidRequestException if the text is blank
   */
  ChatRequest ask(String text);

  /**
   * Takes over what was asked and answered elsewhere, or in an earlier process, as the next two
   * turns. Nothing is computed; the next question reads it.
   *
   * @param question made by {@link #ask}, with its pictures; its other options do not matter
   * @param answer what was answered
   */
  void said(ChatRequest question, String answer);

  /**
   * What was said so far.
   *
   * @return the turns in order
   */
  List<Turn> turns();

  /** Frees what was kept. Harmless twice. */
  @Override
  void close();
}
