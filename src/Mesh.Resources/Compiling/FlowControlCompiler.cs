using System.Globalization;
using Mesh.Core.FlowControl;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Flow control of a pool: what its FlowControlPolicy says, and the defaults for the rest.</summary>
internal static class FlowControlCompiler
{
    /// <summary>Name of the setting that a SchedulingProfile can give, too.</summary>
    public const string OrderName = "flowControl.order";

    public static FlowControlSettings Compile(FlowControlPolicy? policy, SchedulingProfile? scheduling)
    {
        var builtIn = new FlowControlSettings();
        if (scheduling?.Order is { } order) builtIn = builtIn with { Order = order.Value };
        return policy is null ? builtIn : new FlowControlSettings
        {
            WhenFull = policy.WhenFull?.Value ?? builtIn.WhenFull,
            MaxWaitingRequests = policy.MaxWaitingRequests?.Value ?? builtIn.MaxWaitingRequests,
            MaxWaitingBytes = policy.MaxWaitingBytes?.Value ?? builtIn.MaxWaitingBytes,
            MaxWait = policy.MaxWaitSec is { } seconds ? TimeSpan.FromSeconds(seconds.Value) : builtIn.MaxWait,
            Order = policy.Order?.Value ?? builtIn.Order,
        };
    }

    /// <summary>Each setting as a person would write it, with the place of its field; null where the default holds.</summary>
    public static IEnumerable<(string Name, string Value, Spot? At)> Describe(FlowControlSettings settings, FlowControlPolicy? policy) =>
    [
        ("flowControl.whenFull", settings.WhenFull.ToString(), policy?.WhenFull?.At),
        ("flowControl.maxWaitingRequests",
            settings.MaxWaitingRequests.ToString(CultureInfo.InvariantCulture), policy?.MaxWaitingRequests?.At),
        ("flowControl.maxWaitingBytes", ByteQuantity.Text(settings.MaxWaitingBytes), policy?.MaxWaitingBytes?.At),
        ("flowControl.maxWaitSec", string.Create(CultureInfo.InvariantCulture, $"{settings.MaxWait.TotalSeconds} s"), policy?.MaxWaitSec?.At),
        (OrderName, settings.Order.ToString(), policy?.Order?.At),
    ];
}
