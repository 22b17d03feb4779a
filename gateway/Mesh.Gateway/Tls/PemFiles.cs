using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Tls;

/// <summary>Certificates and keys from PEM files, with mistakes in words.</summary>
internal static class PemFiles
{
    /// <summary>Largest file in bytes.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>A certificate with its key, and those that lead to its authority; null, and a problem, when they are of no use.</summary>
    /// <param name="option">Section that names the files, for the problem.</param>
    /// <param name="certificate">File of the certificate.</param>
    /// <param name="key">File of the key.</param>
    /// <param name="problems">Gets what is wrong.</param>
    public static (X509Certificate2 Leaf, X509Certificate2Collection Chain)? ReadWithKey(string option, string? certificate, string? key, List<string> problems)
    {
        if (string.IsNullOrEmpty(certificate)) problems.Add($"{option}:Certificate is required.");
        if (string.IsNullOrEmpty(key)) problems.Add($"{option}:Key is required.");
        if (string.IsNullOrEmpty(certificate) || string.IsNullOrEmpty(key)) return null;
        if (ReadText($"{option}:Certificate", certificate, problems) is not { } text || ReadText($"{option}:Key", key, problems) is not { } keyText) return null;
        try
        {
            var leaf = X509Certificate2.CreateFromPem(text, keyText);
            var all = new X509Certificate2Collection();
            all.ImportFromPem(text);
            all.RemoveAt(0);
            return (leaf, all);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            problems.Add($"{option}: {certificate} and {key} are not a certificate and its key in PEM, unencrypted: {e.Message}");
            return null;
        }
    }

    /// <summary>Authorities; null, and a problem, when there are none.</summary>
    public static X509Certificate2Collection? ReadAuthorities(string option, string path, List<string> problems)
    {
        if (ReadText(option, path, problems) is not { } text) return null;
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            problems.Add($"{option}: {path} is no list of certificates in PEM: {e.Message}");
            return null;
        }

        if (all.Count > 0) return all;
        problems.Add($"{option}: {path} has no certificate in PEM.");
        return null;
    }

    private static string? ReadText(string option, string path, List<string> problems)
    {
        try
        {
            return Encoding.UTF8.GetString(FileWatch.Read(path, MaxBytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{option}: {path} cannot be read: {e.Message}");
            return null;
        }
    }
}
