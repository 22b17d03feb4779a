using System.Collections.Immutable;
using System.Net;
using Mesh.Engine.Federation;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Federation;

/// <summary>From options to what the exchange between regions runs by; whatever is wrong is said before anything is opened.</summary>
internal static class FederationPlan
{
    private const int LeastTokenChars = 16;

    /// <summary>True when there are peers, or an address for them.</summary>
    public static bool IsWanted(GatewayOptions options) => options.Peers.Count > 0 || !string.IsNullOrEmpty(options.Federation.Listen);

    /// <summary>Settings of the exchange.</summary>
    /// <exception cref="GatewayConfigurationException">An option is missing or wrong; the message says which.</exception>
    public static FederationSettings Settings(GatewayOptions options, string version)
    {
        if (string.IsNullOrEmpty(options.Region)) throw new GatewayConfigurationException("Mesh:Peers need Mesh:Region (--region): a gateway with peers serves one region.");
        var settings = new FederationSettings
        {
            Name = options.Federation.Name ?? options.Region,
            Region = options.Region,
            Version = version,
            ReportInterval = options.Federation.ReportInterval,
            Seed = options.Seed,
            Peers = [.. options.Peers.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => Peer(p.Key, p.Value, options.Federation))],
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

    private static PeerAddress Peer(string name, PeerOptions peer, FederationOptions federation)
    {
        var urls = ImmutableArray.CreateBuilder<Uri>();
        foreach (var text in (peer.Url ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.AbsolutePath != "/")
            {
                throw new GatewayConfigurationException($"Mesh:Peers:{name}:Url has '{text}'; expected http://host:port or https://host:port.");
            }

            if (url.Scheme == "https" && string.IsNullOrEmpty(federation.Authority))
            {
                throw new GatewayConfigurationException($"Mesh:Peers:{name}:Url is https, but there is no Mesh:Federation:Authority to know the peer by.");
            }

            if (url.Scheme == "http" && !string.IsNullOrEmpty(federation.Certificate))
            {
                throw new GatewayConfigurationException($"Mesh:Peers:{name}:Url is http, but this federation has certificates: write https.");
            }

            urls.Add(url);
        }

        if (urls.Count == 0) throw new GatewayConfigurationException($"Mesh:Peers:{name}:Url is required, for example http://10.0.0.1:9100.");
        return new PeerAddress(name, peer.Region ?? name, urls.DrainToImmutable());
    }
}
