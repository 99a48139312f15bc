/** What Maven Central and we demand of a release, as a program; not published. */
module dev.lmm.release {
  requires java.xml;
  requires org.bouncycastle.pg;
  requires org.bouncycastle.provider;
  requires static org.jspecify;
}
