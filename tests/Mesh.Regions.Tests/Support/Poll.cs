namespace Mesh.Regions.Tests.Support;

/// <summary>Waiting for what other processes do.</summary>
internal static class Poll
{
    /// <summary>Waits until something holds; the time that it took. Fails when it does not hold in time.</summary>
    public static async Task<TimeSpan> UntilAsync(Func<Task<bool>> holds, TimeSpan limit, Func<string> otherwise)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            if (TimeProvider.System.GetElapsedTime(began) > limit) Assert.Fail($"Not within {limit.TotalSeconds:0} s: {otherwise()}");
            await Task.Delay(20);
        }

        return TimeProvider.System.GetElapsedTime(began);
    }
}
