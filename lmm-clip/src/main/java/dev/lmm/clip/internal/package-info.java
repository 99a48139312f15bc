/** The family's config, graphs and inputs. */
@NullMarked
package dev.lmm.clip.internal;

import org.jspecify.annotations.NullMarked;
