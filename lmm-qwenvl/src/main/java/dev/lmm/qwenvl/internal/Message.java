package dev.lmm.qwenvl.internal;

import java.util.List;

/**
 * Something that was said.
 *
 * @param role system, user or assistant
 * @param text the words
 * @param seen what stands before them: pictures, then videos
 */
record Message(String role, String text, List<Seen> seen) {}
