using System.Net;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Mesh.Silo;

/// <summary>How silos find each other and gateways find them, and how fast they learn that one has died.</summary>
internal static class Clustering
{
    private static readonly TimeSpan TableRefresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GatewayRefresh = TimeSpan.FromSeconds(1);

    public static void Add(ISiloBuilder silo, SiloOptions options)
    {
        var address = IPAddress.Parse(options.Address);
        silo.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.ClusterId, options.ServiceId));
        if (options.Redis is { } redis)
        {
            silo.UseRedisClustering(o => o.ConfigurationOptions = Parse(redis));
            silo.ConfigureEndpoints(address, options.Port, options.GatewayPort, listenOnAnyHostAddress: !IPAddress.IsLoopback(address));
        }
        else
        {
            var primary = options.PrimaryPort is { } port ? new IPEndPoint(IPAddress.Loopback, port) : null;
            silo.UseLocalhostClustering(options.Port, options.GatewayPort, primary, options.ServiceId, options.ClusterId);
        }

        silo.Configure<ClusterMembershipOptions>(o =>
        {
            // A silo that is gone is found out within about two probes by whoever probes it.
            o.ProbeTimeout = options.ProbeTimeout;
            o.NumMissedProbesLimit = 2;
            o.NumVotesForDeathDeclaration = 1;
            o.EnableIndirectProbes = false;
            o.ExtendProbeTimeoutDuringDegradation = false;
            o.TableRefreshTimeout = TableRefresh;
            o.IAmAliveTablePublishTimeout = TableRefresh;
            o.DefunctSiloExpiration = TimeSpan.FromHours(1);
        });
        silo.Configure<ConnectionOptions>(o => o.ConnectionRetryDelay = TimeSpan.FromMilliseconds(200));
        silo.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(5));
    }

    public static void Add(IClientBuilder client, SiloOptions options)
    {
        client.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (options.ClusterId, options.ServiceId));
        if (options.Redis is { } redis) client.UseRedisClustering(o => o.ConfigurationOptions = Parse(redis));
        else client.UseLocalhostClustering([.. options.GatewayPorts.Split(',', StringSplitOptions.TrimEntries).Select(int.Parse)], options.ServiceId, options.ClusterId);

        // A silo that comes is used, and one that went is left alone, soon.
        client.Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = GatewayRefresh);
        client.Configure<ConnectionOptions>(o => o.ConnectionRetryDelay = TimeSpan.FromMilliseconds(200));
        client.Configure<ClientMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromSeconds(5));
        // Without an end: a gateway may be up before the first silo is.
        client.UseConnectionRetryFilter(async (_, cancellationToken) =>
        {
            await Task.Delay(GatewayRefresh, cancellationToken);
            return true;
        });
    }

    private static ConfigurationOptions Parse(string redis)
    {
        var parsed = ConfigurationOptions.Parse(redis);
        // Redis may be away for a while, also at the start: nobody stops for that.
        parsed.AbortOnConnectFail = false;
        return parsed;
    }
}
