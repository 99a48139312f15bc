/** Makes the documentation's site. */
module dev.lmm.site {
  requires org.commonmark;
  requires org.commonmark.ext.gfm.tables;
  requires static org.jspecify;
}
