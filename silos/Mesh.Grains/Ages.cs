using Mesh.Core.Endpoints;
using Mesh.Grains.Contracts;

namespace Mesh.Grains;

/// <summary>Times of one machine's clock for another's: only ages can be carried over.</summary>
internal static class Ages
{
    /// <summary>Age of a timestamp, in ticks of <see cref="TimeSpan"/>.</summary>
    public static long Of(long timestamp, TimeProvider time) => time.GetElapsedTime(timestamp).Ticks;

    /// <summary>Timestamp of something that is so old now.</summary>
    public static long ToTimestamp(long ageTicks, TimeProvider time) =>
        time.GetTimestamp() - (long)(Math.Max(0, ageTicks) * (time.TimestampFrequency / (double)TimeSpan.TicksPerSecond));

    /// <summary>As <see cref="ToTimestamp"/>; a negative age lies ahead.</summary>
    public static long At(long ageTicks, TimeProvider time) => time.GetTimestamp() - (long)(ageTicks * (time.TimestampFrequency / (double)TimeSpan.TicksPerSecond));

    public static EndpointReport ToReport(in LoadNews news, TimeProvider time) => new()
    {
        Endpoint = news.Endpoint,
        Timestamp = ToTimestamp(news.AgeTicks, time),
        KvUtilizationRatio = news.KvUtilizationRatio,
        RunningRequests = news.RunningRequests,
        WaitingRequests = news.WaitingRequests,
        ApplicationUtilizationRatio = news.ApplicationUtilizationRatio,
        CpuUtilizationRatio = news.CpuUtilizationRatio,
    };
}
