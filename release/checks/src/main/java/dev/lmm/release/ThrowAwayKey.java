package dev.lmm.release;

import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.bcpg.ArmoredOutputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.bcpg.PublicKeyPacket;
import org.bouncycastle.bcpg.SymmetricKeyAlgorithmTags;
import org.bouncycastle.crypto.generators.RSAKeyPairGenerator;
import org.bouncycastle.crypto.params.RSAKeyGenerationParameters;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPKeyPair;
import org.bouncycastle.openpgp.PGPKeyRingGenerator;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.operator.PGPDigestCalculator;
import org.bouncycastle.openpgp.operator.bc.BcPBESecretKeyEncryptorBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentSignerBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPDigestCalculatorProvider;
import org.bouncycastle.openpgp.operator.bc.BcPGPKeyPair;

/** A key to rehearse a release with; nobody trusts it. */
final class ThrowAwayKey {
  private static final int BITS = 2048;
  private static final int CERTAINTY = 100;

  private ThrowAwayKey() {}

  /** Writes {@code secret.asc} and {@code public.asc}. */
  static void write(Path folder, String passphrase) throws IOException {
    try {
      PGPKeyRingGenerator ring = generate(passphrase);
      Files.createDirectories(folder);
      try (OutputStream file = Files.newOutputStream(folder.resolve("secret.asc"));
          OutputStream armored = armored(file)) {
        ring.generateSecretKeyRing().encode(armored);
      }
      try (OutputStream file = Files.newOutputStream(folder.resolve("public.asc"));
          OutputStream armored = armored(file)) {
        ring.generatePublicKeyRing().encode(armored);
      }
    } catch (PGPException e) {
      throw new IOException(e);
    }
  }

  static OutputStream armored(OutputStream file) {
    return ArmoredOutputStream.builder().clearHeaders().build(file);
  }

  private static PGPKeyRingGenerator generate(String passphrase) throws PGPException {
    RSAKeyPairGenerator rsa = new RSAKeyPairGenerator();
    rsa.init(
        new RSAKeyGenerationParameters(
            BigInteger.valueOf(0x10001), new SecureRandom(), BITS, CERTAINTY));
    PGPKeyPair pair =
        new BcPGPKeyPair(
            PublicKeyPacket.VERSION_4,
            PGPPublicKey.RSA_GENERAL,
            rsa.generateKeyPair(),
            Date.from(Instant.now()));
    PGPDigestCalculator sha1 = new BcPGPDigestCalculatorProvider().get(HashAlgorithmTags.SHA1);
    return new PGPKeyRingGenerator(
        PGPSignature.POSITIVE_CERTIFICATION,
        pair,
        "A rehearsal <nobody@lmm.dev>",
        sha1,
        null,
        null,
        new BcPGPContentSignerBuilder(PGPPublicKey.RSA_GENERAL, HashAlgorithmTags.SHA256),
        new BcPBESecretKeyEncryptorBuilder(SymmetricKeyAlgorithmTags.AES_256, sha1)
            .build(passphrase.toCharArray()));
  }
}
