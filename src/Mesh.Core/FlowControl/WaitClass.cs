namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests that fit into the same places, because they ask for the same. Where one of them finds no place none of the others does,
/// and none of them needs to be asked.
/// </summary>
internal sealed class WaitClass
{
    public Wishes Wishes { get; set; }

    public int Count { get; set; }

    /// <summary>The pass in which a place was sought in vain.</summary>
    public long RuledOutIn { get; set; }
}
