/**
 * Chat templates: what turns messages into the text a model was trained on. A small, strict subset
 * of Jinja; what the user wrote stays data. Start at {@link
 * dev.lmm.core.text.template.ChatTemplate}.
 */
@NullMarked
package dev.lmm.core.text.template;

import org.jspecify.annotations.NullMarked;
