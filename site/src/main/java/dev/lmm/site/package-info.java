/** Makes the documentation's site. */
@NullMarked
package dev.lmm.site;

import org.jspecify.annotations.NullMarked;
