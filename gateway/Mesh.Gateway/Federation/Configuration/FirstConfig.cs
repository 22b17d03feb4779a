using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Engine.Federation;
using Mesh.Engine.Federation.Links;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Federation.Configuration;

/// <summary>The configuration of a region that starts for the first time and has no config cluster: a peer's.</summary>
internal static class FirstConfig
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Asks every peer in turn until one tells a configuration that can be used.</summary>
    /// <param name="options">Names peers, and how they are spoken to.</param>
    /// <param name="clusters">The own region's, which may name more peers.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told that this waits.</param>
    /// <returns>Null when there is nobody to ask.</returns>
    /// <exception cref="GatewayConfigurationException">No peer told one within a minute.</exception>
    public static async Task<ConfigBundle?> AskAsync(GatewayOptions options, ImmutableArray<ClusterConfig> clusters, TimeProvider time, ILogger log)
    {
        var settings = FederationPlan.Settings(options, "", clusters);
        var credentials = new FederationCredentials(options, settings.ConnectTimeout);
        var self = new PeerIdentity(settings.Name, settings.Region, FederationHub.Protocol, 1, "");
        var began = time.GetTimestamp();
        var last = "";
        if (settings.Peers.IsEmpty) return null;
        log.Waiting();
        while (time.GetElapsedTime(began) < Wait)
        {
            foreach (var peer in settings.Peers)
            {
                foreach (var url in peer.Urls)
                {
                    try
                    {
                        using var limit = new CancellationTokenSource(ConfigExchange.AskLimit, time);
                        return ConfigBundle.FromJson(await PeerQuestion.AskAsync(url, peer, FederationPaths.Config, ConfigBundle.MaxBytes, self, credentials.Connect, limit.Token));
                    }
                    catch (Exception e) when (e is HttpRequestException or InvalidDataException or OperationCanceledException or IOException)
                    {
                        last = $"{peer.Name}: {e.Message}";
                    }
                }
            }

            await Task.Delay(Pause, time);
        }

        throw new GatewayConfigurationException(
            $"The manifests name no config cluster, nothing was kept from before, and no peer told its configuration within {Wait.TotalSeconds:0} s ({last}).");
    }
}
