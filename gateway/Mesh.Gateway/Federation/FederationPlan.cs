using System.Collections.Immutable;
using System.Net;
using Mesh.Core.Config;
using Mesh.Engine.Federation;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Federation;

/// <summary>From options to what the exchange between regions runs by; whatever is wrong is said before anything is opened.</summary>
internal static class FederationPlan
{
    private const int LeastTokenChars = 16;

    /// <summary>True when there are peers, or an address for them: the manifests may name them, now or later.</summary>
    public static bool IsWanted(GatewayOptions options) => options.Peers.Count > 0 || !string.IsNullOrEmpty(options.Federation.Listen);

    /// <summary>Settings of the exchange.</summary>
    /// <param name="options">Options.</param>
    /// <param name="version">Version of the program.</param>
    /// <param name="clusters">The fleet, whose profiles may say where gateways are.</param>
    /// <exception cref="GatewayConfigurationException">An option is missing or wrong; the message says which.</exception>
    public static FederationSettings Settings(GatewayOptions options, string version, ImmutableArray<ClusterConfig> clusters = default)
    {
        if (string.IsNullOrEmpty(options.Region)) throw new GatewayConfigurationException("Mesh:Peers need Mesh:Region (--region): a gateway with peers serves one region.");
        var settings = new FederationSettings
        {
            Name = options.Federation.Name ?? options.Region,
            Region = options.Region,
            Version = version,
            ReportInterval = options.Federation.ReportInterval,
            Seed = options.Seed,
            Peers = Peers(options, clusters),
        };
        try
        {
            settings.Validate();
            return settings;
        }
        catch (ArgumentException e)
        {
            throw new GatewayConfigurationException($"Mesh:Peers: {e.Message}", e);
        }
    }

    /// <summary>
    /// The peers: those that the options name, and the gateways of all other regions whose ClusterProfiles say where those are. Of a region that the options name,
    /// the options hold.
    /// </summary>
    /// <exception cref="GatewayConfigurationException">An address is of no use; the message says which.</exception>
    public static ImmutableArray<PeerAddress> Peers(GatewayOptions options, ImmutableArray<ClusterConfig> clusters)
    {
        var peers = ImmutableArray.CreateBuilder<PeerAddress>();
        foreach (var (name, peer) in options.Peers.OrderBy(p => p.Key, StringComparer.Ordinal))
            peers.Add(new PeerAddress(name, peer.Region ?? name, Urls($"Mesh:Peers:{name}:Url", peer.Url, options.Federation)));
        if (clusters.IsDefaultOrEmpty) return peers.ToImmutable();
        var configured = peers.Select(p => p.Region).Append(options.Region ?? "").ToHashSet(StringComparer.Ordinal);
        foreach (var region in clusters.Where(c => c.GatewayUrl.Length > 0 && !configured.Contains(c.Region)).GroupBy(c => c.Region).OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            // Clusters of one region lead to the same gateway, perhaps by different ways.
            var urls = region.OrderBy(c => c.Name, StringComparer.Ordinal).SelectMany(c => Urls($"mesh.internal/gateway-url of cluster {c.Name}", c.GatewayUrl, options.Federation));
            peers.Add(new PeerAddress(region.First().GatewayName is { Length: > 0 } name ? name : region.Key, region.Key, [.. urls.Distinct()]));
        }

        return peers.ToImmutable();
    }

    /// <summary>Where peers are answered.</summary>
    /// <exception cref="GatewayConfigurationException">There is no such address, or others could reach it without a secret.</exception>
    public static IPEndPoint Listener(GatewayOptions options)
    {
        var federation = options.Federation;
        if (string.IsNullOrEmpty(federation.Listen))
        {
            throw new GatewayConfigurationException("Mesh:Peers need Mesh:Federation:Listen=IP:PORT: peers must reach this gateway as it reaches them.");
        }

        if (!IPEndPoint.TryParse(federation.Listen, out var address) || address.Port == 0)
        {
            throw new GatewayConfigurationException($"Mesh:Federation:Listen is '{federation.Listen}'; expected address:port, for example 127.0.0.1:9100.");
        }

        var isSecret = !string.IsNullOrEmpty(federation.Certificate) || !string.IsNullOrEmpty(federation.Token)
            || (options.Peers.Count > 0 && options.Peers.Values.All(p => !string.IsNullOrEmpty(p.Token)));
        if (!Loopback.Is(address.Address) && !isSecret)
        {
            throw new GatewayConfigurationException(
                $"Mesh:Federation:Listen is {address}, which other machines can reach, but anybody could pass for a peer there. Give all peers one secret "
                + "(--Mesh:Federation:Token=file:PATH) or certificates (--Mesh:Federation:Certificate, :Key and :Authority).");
        }

        return address;
    }

    /// <summary>A secret as an option gives it: itself, or what the file holds; null for none.</summary>
    /// <exception cref="GatewayConfigurationException">The file cannot be read, or the secret is too short.</exception>
    public static string? Secret(string option, string? value)
    {
        const string FilePrefix = "file:";
        if (string.IsNullOrEmpty(value)) return null;
        try
        {
            var secret = (value.StartsWith(FilePrefix, StringComparison.Ordinal) ? File.ReadAllText(value[FilePrefix.Length..]) : value).Trim();
            if (secret.Length < LeastTokenChars) throw new GatewayConfigurationException($"{option} is shorter than {LeastTokenChars} characters.");
            if (secret.AsSpan().ContainsAnyExceptInRange('!', '~')) throw new GatewayConfigurationException($"{option} has characters that a header cannot carry.");
            return secret;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GatewayConfigurationException($"{option} cannot be read: {e.Message}", e);
        }
    }

    private static ImmutableArray<Uri> Urls(string where, string? list, FederationOptions federation)
    {
        var urls = ImmutableArray.CreateBuilder<Uri>();
        foreach (var text in (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.AbsolutePath != "/")
            {
                throw new GatewayConfigurationException($"{where} has '{text}'; expected http://host:port or https://host:port.");
            }

            if (url.Scheme == "https" && string.IsNullOrEmpty(federation.Authority))
            {
                throw new GatewayConfigurationException($"{where} is https, but there is no Mesh:Federation:Authority to know the peer by.");
            }

            if (url.Scheme == "http" && !string.IsNullOrEmpty(federation.Certificate))
            {
                throw new GatewayConfigurationException($"{where} is http, but this federation has certificates: write https.");
            }

            urls.Add(url);
        }

        if (urls.Count == 0) throw new GatewayConfigurationException($"{where} is required, for example http://10.0.0.1:9100.");
        return urls.DrainToImmutable();
    }
}
